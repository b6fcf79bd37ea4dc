"""Chains of one make share a layout, and rules made from it are the rules that were read."""

from __future__ import annotations

import pytest

from ipt_explain.model import Chain, Rule
from ipt_explain.parsing import read_dump
from tests.kube_corpus import Scenario, scenarios

_ENDPOINTS = """\
*nat
:KUBE-SEP-A - [0:0]
:KUBE-SEP-B - [0:0]
:KUBE-SVC-C - [0:0]
-A KUBE-SEP-A -s 10.0.0.1/32 -m comment --comment "demo/web" -j KUBE-MARK-MASQ
-A KUBE-SEP-A -p tcp -m comment --comment "demo/web" -m tcp -j DNAT --to-destination 10.0.0.1:80
-A KUBE-SEP-B -s 10.0.0.2/32 -m comment --comment "demo/web" -j KUBE-MARK-MASQ
-A KUBE-SEP-B -p tcp -m comment --comment "demo/web" -m tcp -j DNAT --to-destination 10.0.0.2:80
COMMIT
"""


def _chains(text: str) -> list[Chain]:
    return [
        chain
        for ruleset in read_dump(text).rulesets
        for table in ruleset.tables.values()
        for chain in table.chains.values()
    ]


def _content(rule: Rule) -> tuple[object, ...]:
    return rule.shape, rule.values, rule.line, rule.counters


def test_chains_with_the_same_shapes_share_their_layout() -> None:
    first, second, empty = _chains(_ENDPOINTS)
    assert first.layout is second.layout
    assert len(empty.layout) == 0 and empty.rules == ()


def test_a_layout_knows_the_places_of_its_chains_words() -> None:
    *chains, _ = _chains(_ENDPOINTS)
    layout = chains[0].layout
    translation = layout.shapes[1]
    place = layout.place(1, translation.target_option("--to-destination"))
    comment = layout.place(0, layout.shapes[0].match_option("comment", "--comment"))
    assert [chain.word(place) for chain in chains] == ["10.0.0.1:80", "10.0.0.2:80"]
    assert [chain.word(comment) for chain in chains] == ["demo/web", "demo/web"]
    assert layout.place(0, translation.target_option("--random")) is None
    jump = layout.target_place(0)
    assert jump is not None
    assert [chain.values[jump] for chain in chains] == ["KUBE-MARK-MASQ", "KUBE-MARK-MASQ"]
    assert (layout.target_place(1), chains[0].target_of(1)) == (None, "DNAT")


def test_a_rule_is_made_once() -> None:
    chain = _chains(_ENDPOINTS)[0]
    second = chain.rule(1)
    assert chain.rules[1] is second
    assert chain.rules is chain.rules
    assert [rule.line for rule in chain.rules] == [5, 6]


@pytest.mark.parametrize("scenario", list(scenarios()), ids=lambda scenario: scenario.id)
def test_rules_made_from_a_layout_are_the_rules_of_the_text(scenario: Scenario) -> None:
    lines = scenario.ipv4.split("\n")
    for chain in _chains(scenario.ipv4):
        again = Chain.of(chain.name, chain.rules, chain.policy, chain.line, chain.counters)
        assert again.layout is chain.layout and again.values == chain.values
        for number, rule in enumerate(chain.rules):
            assert rule.text == lines[rule.line - 1]
            assert _content(rule) == _content(again.rules[number])
            assert chain.target_of(number) == rule.target
