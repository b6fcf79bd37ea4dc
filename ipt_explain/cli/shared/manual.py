"""The manual pages, written when a wheel is built: `python -m ipt_explain.cli.shared.manual DIRECTORY`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from ipt_explain import __version__
from ipt_explain.audit.rules.index import RULES
from ipt_explain.cli.main import commands
from ipt_explain.help import TOPICS, topic_text
from ipt_explain.render.help.manual import CommandPage, manual, rules_manual


def manual_pages() -> dict[str, str]:
    """The pages' texts by file name: `ipt-explain.1` and `ipt-explain-rules.7`."""
    return {
        "ipt-explain.1": "".join(manual(__version__, _command_pages(), map(topic_text, TOPICS))),
        "ipt-explain-rules.7": "".join(rules_manual(__version__, RULES)),
    }


def _command_pages() -> Iterator[CommandPage]:
    context = click.Context(commands, info_name="ipt-explain")
    for name in commands.list_commands(context):
        command = commands.get_command(context, name)
        if command is None:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        records = [parameter.get_help_record(inner) for parameter in command.get_params(inner)]
        yield CommandPage(
            " ".join(["ipt-explain", name, *command.collect_usage_pieces(inner)]),
            _as_topic(command.help or ""),
            [record for record in records if record is not None and record[1]],
        )


def _as_topic(text: str) -> str:
    """A command's help as a help topic: one line per paragraph, lines after click's `\\b` unchanged."""
    paragraphs = [paragraph.split("\n") for paragraph in inspect.cleandoc(text).split("\n\n")]
    return "\n\n".join(
        "\n".join(f"    {line}" for line in lines[1:]) if lines[0].strip() == "\b" else " ".join(lines)
        for lines in paragraphs
    )


if __name__ == "__main__":
    for file_name, page in manual_pages().items():
        Path(sys.argv[1], file_name).write_text(page, encoding="ascii")
