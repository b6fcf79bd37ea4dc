from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ipt_explain.audit.rules.index import RULES
from ipt_explain.cli.main import COMMANDS, commands
from ipt_explain.cli.shared.manual import manual_pages
from ipt_explain.help import TOPICS, topic_text
from ipt_explain.render.help.document import BlockKind, help_blocks
from ipt_explain.render.help.topic_text import topic_lines
from tests.cli.program import ROOT, run


def test_the_overview_lists_every_topic() -> None:
    result = run("help")
    assert result.status == 0
    assert re.findall(r"^  (\S+)  ", result.out, re.MULTILINE) == list(TOPICS)


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_topic_fits_the_terminal(topic: str, width: int) -> None:
    lines = list(topic_lines(topic_text(topic), width, False))
    assert max(len(line) - 1 for line in lines) <= width
    colored = "".join(topic_lines(topic_text(topic), width, True))
    assert re.sub("\x1b\\[[0-9;]*m", "", colored).replace("`", "").replace("*", "") == "".join(lines).replace("`", "").replace("*", "")


def test_a_topic_is_printed() -> None:
    result = run("help", "fates", "--width", "72")
    assert (result.status, result.err) == (0, "")
    assert result.out == "".join(topic_lines(topic_text("fates"), 72, False))


def test_topics_and_files_are_the_same() -> None:
    assert {path.stem for path in (ROOT / "ipt_explain" / "help").glob("*.md")} == set(TOPICS)


@pytest.mark.parametrize("topic", TOPICS)
def test_literal_lines_fit_80_columns(topic: str) -> None:
    literal = [line for block in help_blocks(topic_text(topic)) if block.kind is BlockKind.LITERAL for line in block.text.split("\n")]
    assert [line for line in literal if len(line) > 76] == []


@pytest.mark.parametrize("topic", TOPICS)
def test_topics_name_only_what_exists(topic: str) -> None:
    """Commands, options, topics and rules that a text mentions are those of the program."""
    text = topic_text(topic)
    known_options = {
        option for name in COMMANDS if (command := commands.get_command(None, name)) for parameter in command.params for option in parameter.opts
    }  # fmt: skip
    for word, rest in re.findall(r"ipt-explain ([a-z]+)(?![\w.-])(?:(?: |`)([a-z-]+))?", text):
        if word in ("is", "has", "explain"):
            continue
        assert word in (*COMMANDS, "report"), word
        if word == "help" and rest:
            assert rest in TOPICS
    for rule in re.findall(r"IPT\d{3}", text):
        assert rule in {each.id for each in RULES}
    for line in text.splitlines():
        if "ipt-explain" in line:
            for option in re.findall(r"(?<!\S)--[a-z][a-z-]+", line.partition("ipt-explain")[2].partition("'")[0]):
                assert option in known_options, (option, line)


def test_a_command_and_a_rule_have_help_too() -> None:
    assert run("help", "audit").out.startswith("Usage: ipt-explain audit ")
    assert run("help", "traffic-leaks").out == run("rules", "IPT202").out
    assert "the nearest is affinity" in run("help", "afinity").err


def test_the_manual_pages_are_clean_roff(tmp_path: Path) -> None:
    if shutil.which("groff") is None:
        pytest.skip("needs groff")
    pages = manual_pages()
    for name, page in pages.items():
        (tmp_path / name).write_text(page, encoding="utf-8")
    command = ["groff", "-man", "-Tutf8", "-ww", "-K", "utf8", *pages]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, text=True, encoding="utf-8")
    assert done.stderr == ""
    for command in COMMANDS:
        if commands.get_command(None, command):
            assert f"ipt\\-explain {command} " in pages["ipt-explain.1"]
    assert all(rule.id in pages["ipt-explain-rules.7"] for rule in RULES)


def test_the_manual_pages_have_the_topics_headings() -> None:
    headings = {
        block.text for topic in TOPICS for block in help_blocks(topic_text(topic)) if block.kind is BlockKind.HEADING
    }
    sections = {line.removeprefix(".SS ") for page in manual_pages().values() for line in page.splitlines() if line.startswith(".SS ")}
    assert headings
    assert {heading for heading in headings if "-" not in heading and "`" not in heading} <= sections


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_name_is_broken_at_its_hyphens(width: int) -> None:
    lines = run("rules", "--width", width).out.splitlines(keepends=True)
    for topic in TOPICS:
        lines += topic_lines(topic_text(topic), width, False)
    assert [line for line in lines if re.search(r"\w-$", line)] == []
