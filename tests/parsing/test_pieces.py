"""A rule put together from parts of other rules is the rule that Lark reads."""

from __future__ import annotations

import re
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_explain.errors import RuleSyntaxError
from ipt_explain.parsing.iptables.rules.rule_parser import ParsedRule, parse_rule
from ipt_explain.parsing.iptables.rules.value_patterns import any_word
from ipt_explain.parsing.iptables.shapes.patterns import USUAL_MAKES, LinePattern, pattern_of
from ipt_explain.parsing.iptables.shapes.pieces import Pieces, ReadPieces, pieces_of
from tests.bench.worst_cases import many_shapes
from tests.corpora import restore_inputs
from tests.syntax_corpus import saved_rules

_TRICKY = (
    "-j", "-m", "-A", "!", "-d", "--dport", "--comment", "DNAT", "ACCEPT", "KUBE-SEP-X", "tcp", "udp", '"a b"', '"a', '"a"b', "a\"b",
    '"-m tcp"', '"\\""', "0.5", "10.0.0.1/32", "-", "--", "[0:0]", "[unsupported", "é", "\u2028", "", "\t", "-m tcp", "! -s 10.0.0.1/32",
)  # fmt: skip


@cache
def _known() -> tuple[Pieces, list[list[str]]]:
    """The pieces of lines of the corpora, and these lines' parts as texts."""
    pieces, lines = Pieces(), []
    restored = [line for each in restore_inputs() for line in each.text.split("\n") if line.startswith("-A ")]
    for line in dict.fromkeys([*[rule.saved for rule in saved_rules()][::2], *restored[::5]]):
        parsed = _by_lark(line)
        if parsed is not None and parsed.parts:
            starts = [start for start, _ in parsed.parts]
            lines.append([line[start:end].rstrip(" ") for start, end in zip(starts, [*starts[1:], len(line)])])
            _learn(pieces, line)
    for part in {part for line in lines for part in line if part.startswith("-m ")}:
        for end in ("", " -m comment --comment x", " -j ACCEPT"):  # whatever may follow
            _learn(pieces, f"-A INPUT {part}{end}")
    return pieces, lines


def _learn(pieces: Pieces, line: str) -> None:
    parsed = _by_lark(line)
    for piece in () if parsed is None else pieces_of(parsed, line):
        pieces.add(piece)


def _by_lark(line: str) -> ParsedRule | None:
    try:
        return parse_rule(line)
    except RuleSyntaxError:
        return None


@cache
def _parts(*beginnings: str) -> list[str]:
    return sorted({part for line in _known()[1] for part in line[1:] if part.partition(" ")[0] in beginnings})


@st.composite
def _mixed(draw: st.DrawFn) -> str:
    """Parts of several lines, mostly in an order that makes a rule, with some words replaced, put in or left out."""
    own = draw(st.lists(st.sampled_from(_parts("-s", "-d", "-i", "-o", "-p", "!")), max_size=2))
    matches = draw(st.lists(st.sampled_from(_parts("-m")), max_size=3))
    target = draw(st.lists(st.sampled_from(_parts("-j", "-g")), max_size=1))
    parts = ["-A X", *own, *matches, *target]
    if draw(st.integers(0, 4)) == 0:
        parts = draw(st.permutations(parts))
    words = " ".join(parts).split(" ")
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        place = draw(st.integers(1, len(words) - 1))
        words[place : place + draw(st.integers(0, 1))] = [draw(st.sampled_from(_TRICKY))]
    return " ".join(words)


@settings(max_examples=1000)
@given(_mixed())
def test_lark_reads_the_same_from_what_pieces_cover(line: str) -> None:
    read = _known()[0].read(line)
    if read is not None:
        wanted = _by_lark(line)
        assert wanted is not None
        assert (read.shape(), read.values) == (wanted.shape, wanted.values)
        _assert_covers(read, pattern_of(wanted.tokens, line, 0, len(line)))


def _assert_covers(read: ReadPieces, own: LinePattern) -> None:
    """A line's own pattern; or, where a rare word taught a piece, what that is for words of the make that the line has."""
    pattern = read.pattern()
    assert pattern.literals == own.literals
    for word, wanted, value in zip(pattern.words, own.words, read.values, strict=True):
        make = next((make for make in USUAL_MAKES if re.fullmatch(make, value)), any_word())
        assert word.replace(any_word(), make) == wanted


def test_a_piece_that_a_rare_word_taught_takes_usual_ones() -> None:
    pieces = Pieces()
    _learn(pieces, r'-A X -m helper --helper "a\"b"')
    for line in ('-A X -m helper --helper "\t"', "-A X -m helper --helper ftp"):
        read, wanted = pieces.read(line), parse_rule(line)
        assert read is not None
        assert (read.shape(), read.values) == (wanted.shape, wanted.values)
        _assert_covers(read, pattern_of(wanted.tokens, line, 0, len(line)))


def test_pieces_cover_the_lines_that_they_come_from() -> None:
    pieces, lines = _known()
    covered = 0
    for line in map(" ".join, lines):
        read = pieces.read(line)
        if read is not None:
            wanted = parse_rule(line)
            assert (read.shape(), read.values) == (wanted.shape, wanted.values)
            covered += 1
    assert covered > 0.5 * len(lines)


def test_few_lines_teach_the_pieces_of_many() -> None:
    pieces = Pieces()
    lines = [line.strip() for line in many_shapes(600) if line.startswith("-A")]
    for line in lines[:300]:
        _learn(pieces, line)
    assert all(pieces.read(line) for line in lines[300:])
