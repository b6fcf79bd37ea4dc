"""One grammar, two speeds: a rule read by its shape's pattern is the rule that Lark reads."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_explain.errors import DumpSyntaxError, RuleSyntaxError
from ipt_explain.model import Rule
from ipt_explain.parsing import read_dump
from ipt_explain.parsing.cleaning import clean
from ipt_explain.parsing.iptables.logical import readings
from ipt_explain.parsing.iptables.rules.rule_parser import ParsedRule, parse_rule
from ipt_explain.parsing.iptables.shapes import shapes
from ipt_explain.parsing.iptables.shapes.common_pieces import RULES_FILE, common_pieces
from ipt_explain.parsing.iptables.shapes.patterns import pattern_of
from ipt_explain.parsing.iptables.shapes.shapes import ShapePattern
from tests.dumps import rules_of
from tests.kube_corpus import scenarios

# Words that mean something elsewhere on a line, and words that only look like it.
_TRICKY = (
    "-j", "-m", "-A", "!", "--comment", "DNAT", "ACCEPT", "MARK", "RETURN", "KUBE-SEP-X", "DNATX", "tcp", "random", '"', '"a b"',
    '"a', 'a"b', '""', '"-j ACCEPT"', "0.5", "10.0.0.1/32", "fd00::1/128", "COMMIT", "*nat", ":x", "#", "\\", "'", "é", "\u2028", "\x1b[31m",
    "[0:0]", "-", "--", "0x4000/0x4000", "--to-destination", "[fd00::1]:80", "LOG", "CT", "SET", "[unsupported", "revision]",
)  # fmt: skip

_words = st.one_of(
    st.sampled_from(_TRICKY),
    st.text(st.characters(codec="utf-8", exclude_characters=" \t\n\0"), min_size=1, max_size=12),
    st.text('ab-!"\\ ', min_size=1, max_size=10).map(lambda inner: f'"{inner}"'),
)

# One line for each shape that kube-proxy writes, as the words between its blanks.
_SEEDS = sorted({rule.text for rule in (
    rule
    for scenario in scenarios()
    if scenario.name in ("basic", "affinity", "policy", "cfg-bridge", "externalips")
    for ruleset in read_dump(scenario.ipv4).rulesets
    for table in ruleset.tables.values()
    for chain in table.chains.values()
    for rule in chain.rules
)}, key=lambda text: (text.count(" "), text))[::7]  # fmt: skip


@st.composite
def _mutated(draw: st.DrawFn) -> tuple[str, str]:
    """A real line, and the same with some words replaced, doubled or dropped."""
    line = draw(st.sampled_from(_SEEDS))
    words = line.split(" ")
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(1, len(words) - 1))
        how = draw(st.sampled_from(("replace", "insert", "drop")))
        if how == "replace":
            words[place] = draw(_words)
        elif how == "insert":
            words.insert(place, draw(_words))
        elif len(words) > 3:
            del words[place]
    return line, " ".join(words)


def _by_lark(line: str) -> ParsedRule | None:
    try:
        return parse_rule(line)
    except RuleSyntaxError:
        return None


def _reaches_the_rules(line: str) -> bool:
    """Not so a line that goes on with the next one, or of which cleaning takes something off."""
    return not line.endswith(("\\", "\r")) and clean(line, "a dump").readable == line


def _rules(text: str) -> list[Rule]:
    with patch.object(shapes, "_OFTEN", 1):  # a pattern for each shape that was met
        return rules_of(read_dump(text, lenient=True))


@settings(max_examples=600)
@given(_mutated())
def test_lark_reads_the_same_from_what_a_pattern_matches(lines: tuple[str, str]) -> None:
    first, second = lines
    parsed = parse_rule(first)
    pattern = ShapePattern(parsed.shape, pattern_of(parsed.tokens, first, 0, len(first)), counted=False)
    match = pattern.match(second, 0)
    if match is not None and match.end() == len(second):
        wanted = _by_lark(second)
        assert wanted is not None
        rule = pattern.rule(match, 2)
        assert (rule.shape, rule.values) == (wanted.shape, wanted.values)


@settings(max_examples=300)
@given(_mutated())
def test_a_line_after_another_is_read_as_by_itself(lines: tuple[str, str]) -> None:
    first, second = lines
    if not _reaches_the_rules(second):
        return
    text = f"*nat\n{first}\n{first}\n{second}\nCOMMIT\n"
    start = len(f"*nat\n{first}\n{first}\n")
    parsed = (_by_lark(logical.text) for logical in readings(text, start, start + len(second)))
    wanted = next((each for each in parsed if each is not None), None)
    if wanted is not None:
        rule = {each.line: each for each in _rules(text)}[4]
        assert (rule.shape, rule.values) == (wanted.shape, wanted.values)


@settings(max_examples=300)
@given(st.sampled_from(_SEEDS), st.data())
def test_a_pattern_takes_every_value_that_its_shape_can_have(line: str, data: st.DataObject) -> None:
    parsed = parse_rule(line)
    parts, position = [], 0
    for token in parsed.tokens:
        parts.append(line[position : token.start])
        parts.append(data.draw(_words))
        position = token.end
    changed = "".join([*parts, line[position:]])
    wanted = _by_lark(changed)
    if wanted is None or wanted.shape is not parsed.shape or not _reaches_the_rules(changed):
        return
    rule = {each.line: each for each in _rules(f"*nat\n{line}\n{line}\n{changed}\nCOMMIT\n")}[4]
    assert (rule.shape, rule.values) == (wanted.shape, wanted.values)
    # A closing quote ends a word, so no blank need follow it; iptables-save prints one.
    assert rule.text == changed or any(changed[each.end : each.end + 1] not in ("", " ") for each in wanted.tokens)


def _shipped_lines() -> Iterator[str]:
    with open(RULES_FILE, encoding="utf-8") as file:
        yield from file.read().splitlines()


@pytest.mark.parametrize("line", list(_shipped_lines()))
def test_a_shipped_pattern_reads_its_line_as_lark_does(line: str) -> None:
    wanted = parse_rule(line)
    read = common_pieces().read(line)
    assert read is not None and (read.shape(), read.values) == (wanted.shape, wanted.values)
    rule = _rules(f"*nat\n{line}\nCOMMIT\n")[0]
    assert (rule.shape, rule.values, rule.text) == (wanted.shape, wanted.values, line)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(_SEEDS), min_size=1, max_size=12))
def test_the_order_of_shapes_does_not_matter(lines: list[str]) -> None:
    rules = sorted(_rules("*nat\n" + "\n".join(lines) + "\nCOMMIT\n"), key=lambda rule: rule.line)
    assert [rule.text for rule in rules] == lines


@settings(max_examples=300)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        dump = read_dump(text)
    except DumpSyntaxError as error:
        refused_at = error.line, error.column
    else:
        refused_at = (1, 1)
        assert read_dump(dump.to_text(), lenient=True).to_text() == dump.to_text()
    assert min(refused_at) >= 1
