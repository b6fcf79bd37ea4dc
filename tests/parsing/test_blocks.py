"""Chains read whole are the chains that are read line by line, which test_two_speeds compares with the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_explain.model import Chain, Counters, Dump
from ipt_explain.parsing import read_dump
from ipt_explain.parsing.iptables import rule_reader
from ipt_explain.parsing.iptables.rule_reader import ReadRules, RuleReader
from ipt_explain.parsing.iptables.rules.rule_parser import ParsedRule, parse_rule
from ipt_explain.parsing.iptables.shapes import blocks, shapes
from ipt_explain.parsing.iptables.shapes.shapes import ShapePattern
from tests.bench.generator import dump
from tests.kube_corpus import Scenario, scenarios

_ENDPOINT = (
    '-A {name} -s 10.0.0.{number}/32 -m comment --comment "demo/web" -j KUBE-MARK-MASQ',
    '-A {name} -p {protocol} -m comment --comment "demo/web" -m tcp -j DNAT --to-destination 10.0.0.{number}:80',
)
_BALANCER = (
    '-A {name} ! -s 10.0.0.0/8 -d 10.96.0.{number}/32 -p {protocol} -m comment --comment demo -m tcp --dport 80 -j KUBE-MARK-MASQ',
    "-A {name} -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-{number}A",
    "-A {name} -m statistic --mode random --probability 0.5000000000 -j {target}",
    "-A {name} -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-{number}B",
    "-A {name} -j {target}",
)
_ODD = ("-A {name} -j LOG --log-prefix \"a b\"", "-A {name}", '-A {name} -m comment --comment "-A {name} -j X" -j {target}')
_LAYOUTS = (_ENDPOINT, _BALANCER, _ODD, _ENDPOINT[::-1], (*_ENDPOINT, *_ODD))

_targets = st.sampled_from(("KUBE-SEP-X", "ACCEPT", "DNATX", '"A B"', "KUBE-MARK-MASQ"))
_counters = st.sampled_from(("", "", "[0:0] ", "[12:3456] ", "[7:8]"))


@st.composite
def _chain(draw: st.DrawFn) -> str:
    layout = draw(st.sampled_from(_LAYOUTS))
    words = {
        "name": draw(st.sampled_from(("A", "B", "C", "KUBE-SEP-D", "E", "F", "G", "H"))),
        "number": draw(st.integers(0, 3)),
        "protocol": draw(st.sampled_from(("tcp", "tcp", "udp"))),
        "target": draw(_targets),
    }
    counted = draw(st.booleans())
    alike = st.sampled_from((1, 1, 2, 3, 11))
    lines = [
        (draw(_counters) if counted else "") + line.format(**words)
        for line in layout
        for _ in range(draw(alike) if "statistic" in line else 1)
    ]
    if draw(st.integers(0, 9)) == 0:
        odd = draw(st.sampled_from(("# comment", "-I {name} -j ACCEPT", '-A {name} -m comment --comment "a\n-A {name} -j B"', "-F {name}")))
        lines.insert(draw(st.integers(0, len(lines))), odd.format(**words))
    return "\n".join(lines) + "\n"


def _chains(read: Dump) -> Iterator[Chain]:
    return (chain for ruleset in read.rulesets for table in ruleset.tables.values() for chain in table.chains.values())


def _content(read: Dump) -> list[object]:
    return [
        (chain.name, chain.policy, chain.line, chain.layout, chain.values, [
            (rule.shape, rule.values, rule.line, rule.counters) for rule in chain.rules
        ])
        for chain in _chains(read)
    ]  # fmt: skip


def _line_by_line(text: str) -> Dump:
    def nothing(_: RuleReader, __: ShapePattern, position: int, line: int) -> tuple[int, int]:
        return position, line

    with patch.object(blocks, "_BLOCK", re.compile("(?!)")), patch.object(RuleReader, "_read_alike", nothing):
        return read_dump(text, lenient=True)


@settings(max_examples=150)
@given(st.lists(_chain(), min_size=12, max_size=40), st.sampled_from(("COMMIT\n", "COMMIT", "")))
def test_chains_read_whole_are_those_read_line_by_line(chains: list[str], end: str) -> None:
    text = "*nat\n:PREROUTING ACCEPT [0:0]\n:A - [0:0]\n:B - [0:0]\n" + "".join(chains) + end
    with (
        patch.object(shapes, "_OFTEN", 1),
        patch.object(blocks, "_OFTEN", 2),
        patch.object(rule_reader, "_AT_FIRST", 2),
        patch.object(rule_reader, "_AT_ONCE", 3),
    ):
        read = read_dump(text, lenient=True)
    assert _content(read) == _content(_line_by_line(text))


@pytest.mark.parametrize("scenario", list(scenarios()), ids=lambda scenario: scenario.id)
def test_captured_dumps_are_read_as_line_by_line(scenario: Scenario) -> None:
    for text in scenario.dumps.values():
        assert _content(read_dump(text)) == _content(_line_by_line(text))


def _lines_read_one_by_one(text: str) -> int:
    with patch.object(ReadRules, "takes", autospec=True, side_effect=ReadRules.takes) as takes:
        read_dump(text)
    return takes.call_count


def test_lines_are_read_one_by_one_only_until_the_layouts_are_known() -> None:
    few, many = _lines_read_one_by_one(dump(50, 3)), _lines_read_one_by_one(dump(250, 3))
    assert many == few


def test_lines_of_a_chain_that_are_alike_are_read_many_at_once() -> None:
    lines = "".join([f"-A KUBE-SERVICES -d 10.96.0.{number}/32 -j KUBE-SVC-{number}\n" for number in range(200)])
    assert _lines_read_one_by_one(f"*nat\n{lines}COMMIT\n") <= 4
    assert _lines_read_one_by_one(f"*nat\n{lines.replace('-A', '[1:60] -A')}COMMIT\n") <= 4


def test_shapes_that_follow_each_other_in_any_order_are_soon_expected() -> None:
    forms = ("-p tcp -m tcp --dport 80 -j A", "-p udp -m udp --dport 53 -j A", "-s 10.0.0.0/8 -j B", "-j C")
    lines = [f"-A X -d 10.0.0.1/32 {forms[number % 4 if number % 3 else -1]}" for number in range(400)]
    with patch.object(RuleReader, "read", autospec=True, side_effect=RuleReader.read) as unexpected:
        read_dump("\n".join(["*nat", *lines, "COMMIT"]))
    assert unexpected.call_count <= 50


def test_counters_change_nothing_but_themselves() -> None:
    text = dump(20, 3)
    counted = re.sub("^-A ", "[3:180] -A ", text, flags=re.MULTILINE)
    assert _lines_read_one_by_one(counted) == _lines_read_one_by_one(text)
    for with_counters, without in zip(_chains(read_dump(counted)), _chains(read_dump(text)), strict=True):
        assert (with_counters.layout, with_counters.values) == (without.layout, without.values)
        assert [rule.line for rule in with_counters.rules] == [rule.line for rule in without.rules]
        assert {with_counters.counters_of(number) for number in range(len(with_counters.layout))} <= {Counters(3, 180)}


def test_a_generated_dump_is_read_as_the_grammar_reads_it() -> None:
    text = dump(12, 2)
    lines = text.split("\n")
    known: dict[str, ParsedRule] = {}
    for chain in _chains(read_dump(text)):
        for rule in chain.rules:
            line = lines[rule.line - 1]
            wanted = known.setdefault(line, parse_rule(line))
            assert (rule.shape, rule.values) == (wanted.shape, wanted.values)
