from __future__ import annotations

import pytest

from ipt_explain.errors import Diagnostic, DumpSyntaxError
from ipt_explain.render.text.errors import quoted, syntax_report

WIDTH = 80


def report(*diagnostics: Diagnostic, total: int | None = None) -> str:
    return syntax_report(DumpSyntaxError(diagnostics, total), WIDTH)


def test_a_fault_has_its_place_its_line_a_caret_and_a_remedy() -> None:
    fault = Diagnostic(
        "node.txt", 7, 4, "unknown chain name", "-A @INPUT -j DROP", 6, "A chain's name.", "Quote nothing here."
    )
    assert report(fault).splitlines() == [
        "node.txt:7:4: unknown chain name",
        "  -A @INPUT -j DROP",
        "     ^^^^^^",
        "  expected: a chain's name",
        "Quote nothing here.",
    ]


def test_a_fault_without_an_excerpt_is_one_line() -> None:
    assert report(Diagnostic("-", 1, 1, "the input is empty")) == "-:1:1: the input is empty"


def test_a_caret_stays_under_its_word_where_colons_begin_the_line() -> None:
    line, carets = quoted("::error -A X", 8, 2, 40)
    assert (line, carets.index("^")) == ("\\x3a:error -A X", line.index("-A"))


def test_a_shared_remedy_is_printed_once() -> None:
    faults = [Diagnostic("-", line, 1, "bad", "x", remedy="Do this.") for line in (1, 2, 3)]
    assert report(*faults).count("Do this.") == 1


def test_twenty_are_shown_and_the_rest_counted() -> None:
    faults = [Diagnostic("-", line, 1, "bad") for line in range(1, 31)]
    lines = report(*faults, total=1234).splitlines()
    assert lines[19:] == ["-:20:1: bad", "… and 1,214 more errors (1,234 in all)"]


def test_nothing_from_the_dump_reaches_the_terminal_raw() -> None:
    fault = Diagnostic("\x1b]0;name\x07", 1, 8, "bad \u202e word", "-A \x1b[2J [red] :smile: \u2028\udcff\r", 3, "x\x00", "y\x9b")
    said = report(fault)
    assert said.replace("\n", "").isprintable()
    assert "[red] :smile:" in said


def test_carets_are_aligned_after_escapes_and_wide_characters() -> None:
    assert quoted("\x1b 日本 bad end", 5, 3, WIDTH) == ("\\x1b 日本 bad end", "          ^^^")


@pytest.mark.parametrize("start", [0, 10, 75, 76, 500, 999_990, 1_000_000])
@pytest.mark.parametrize("length", [1, 5, 70, 2000])
def test_a_long_line_is_cut_around_the_caret(start: int, length: int) -> None:
    line = "".join(f"{number:07} " for number in range(125_000)) + "the end"
    shown, carets = quoted(line, start, length, WIDTH)
    assert len(shown) <= WIDTH
    assert len(carets) <= WIDTH
    marked = shown[len(carets) - len(carets.strip()) : len(carets)]
    assert marked
    assert line[start:].startswith(marked)


def test_a_caret_after_the_end_of_a_line_is_printed_there() -> None:
    assert quoted("-A INPUT -j", 11, 1, WIDTH) == ("-A INPUT -j", "           ^")
    assert quoted("", 0, 1, WIDTH) == ("", "^")


def test_a_mark_that_is_too_long_is_cut_at_its_end_alone() -> None:
    line = "abcdefghij" * 30
    shown, carets = quoted(line, 0, len(line), 60)
    assert shown.endswith("…")
    assert line.startswith(shown.removesuffix("…"))
    assert len(shown) <= 60
    assert len(carets) <= 60
