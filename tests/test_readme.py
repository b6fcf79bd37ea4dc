"""What the README shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ipt_explain.cli.main import COMMANDS
from tests.readme_examples import README, ROOT, commands, with_fresh_examples

TEXT = README.read_text(encoding="utf-8")


def test_the_examples_are_what_the_program_prints() -> None:
    assert len(commands(TEXT)) == 3
    assert with_fresh_examples(TEXT) == TEXT


def test_every_command_is_named() -> None:
    assert set(re.findall(r"^\| `ipt-explain \[?(\w+)", TEXT, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\b(?:samples|tests)/[\w./-]*\w", TEXT))))
def test_every_path_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_sample_is_described() -> None:
    described = set(re.findall(r"^\| `([^`]+)`", (ROOT / "samples" / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert described == {path.name for path in Path(ROOT / "samples").glob("*.txt")}
