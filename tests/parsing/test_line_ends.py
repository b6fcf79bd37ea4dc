"""CR LF at the end of lines is no part of them; inside quotes it is."""

from __future__ import annotations

import pytest

from ipt_explain.parsing import read_dump
from ipt_explain.parsing.cleaning import with_line_feeds

DUMP = '*nat\n:PREROUTING ACCEPT [0:0]\n:X - [0:0]\n-A PREROUTING -m comment --comment "a \\" b" -j X\n-A X -j RETURN\nCOMMIT\n'


def test_all_lines() -> None:
    dump = read_dump(DUMP.replace("\n", "\r\n"))
    assert dump.to_text() == read_dump(DUMP).to_text()
    assert any("6 lines end in CR LF" in warning for warning in dump.warnings)


@pytest.mark.parametrize("number", range(6))
def test_one_line_of_many(number: int) -> None:
    lines = DUMP.splitlines()
    lines[number] += "\r"
    dump = read_dump("\n".join(lines) + "\n")
    assert dump.to_text() == read_dump(DUMP).to_text()


def test_inside_a_value_it_stays() -> None:
    text = '-A X -m comment --comment "a\r\nb" -j Y\n'
    assert with_line_feeds(text) == (text, 0)


def test_a_quote_that_is_never_closed_does_not_keep_the_rest() -> None:
    text = '-A X -m comment --comment "a\r\n-A X -j Y\r\n'
    assert with_line_feeds(text)[0] == text.replace("\r\n", "\n")


def test_nothing_to_do() -> None:
    assert with_line_feeds(DUMP) == (DUMP, 0)
    assert with_line_feeds("a\rb\n") == ("a\rb\n", 0)
