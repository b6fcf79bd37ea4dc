"""`ipt-explain help`: how to read the output, how to write a rule, recipes; works without network."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from ipt_explain.cli.shared.options import display_options
from ipt_explain.cli.shared.stdio import write
from ipt_explain.errors import UsageError
from ipt_explain.help import TOPICS, topic_text, topic_title


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(topic, help=topic_title(topic)) for topic in TOPICS if topic.startswith(incomplete)]


@click.command(name="help")
@click.argument("topic", required=False, shell_complete=_complete)
@display_options
@click.pass_context
def help_(context: click.Context, topic: str | None, color: bool, width: int) -> None:
    """How to read the output, how to write a rule, recipes; works without network.

    TOPIC is one of the list that `ipt-explain help` prints, a command, or an audit rule.
    """
    if topic is None:
        write(_overview(width))
        return
    word = topic.lower()
    if word in TOPICS:
        from ipt_explain.render.help.topic_text import topic_lines

        write(topic_lines(topic_text(word), width, color))
        return
    from ipt_explain.audit.catalogue import catalogue

    known = catalogue()
    rules = [rule for rule in known if word in (rule.id.lower(), rule.slug)]
    if rules:
        from ipt_explain.render.audit.rule_pages import pages_text

        write(pages_text(rules, width, color))
        return
    program = context.find_root()
    command = program.command.get_command(program, word) if isinstance(program.command, click.Group) else None
    if command is None:
        from ipt_explain.audit.settings.selection import nearest_word

        names = [*TOPICS, *(rule.id.lower() for rule in known), *(rule.slug for rule in known)]
        raise UsageError(f"there is no help topic {topic}{nearest_word(word, names)}; `ipt-explain help` lists them")
    shown = click.Context(command, info_name=word, parent=program, terminal_width=width, max_content_width=width)
    write([command.get_help(shown), "\n"])


def _overview(width: int) -> list[str]:
    formatter = click.HelpFormatter(width=width)
    with formatter.section("Help topics (ipt-explain help TOPIC)"):
        formatter.write_dl([(topic, topic_title(topic)) for topic in TOPICS])
    with formatter.section("And"):
        formatter.write_dl(
            [
                ("ipt-explain help COMMAND", "a command's options"),
                ("ipt-explain help IPT202", "an audit rule's page; `ipt-explain rules` lists them"),
            ]
        )
    return [formatter.getvalue()]
