"""Captured rulesets: nothing stays unread, text and JSON mean the same, and every rule prints as it stands."""

from __future__ import annotations

import pytest

from ipt_explain.model import nft
from ipt_explain.model.nft.printing import rule_text
from ipt_explain.parsing import read_dump
from tests.nft_corpus import Listing, listing, listings

NEIGHBOURS = "neighbours/nft-1.0.6"
CAPTURES = [each for each in listings() if each.name != NEIGHBOURS]


def _name(each: Listing) -> str:
    return each.name


def read(text: str) -> nft.Ruleset:
    """The nftables ruleset of a text."""
    ruleset = read_dump(text, source="node").nft
    assert ruleset is not None
    return ruleset


def rules(ruleset: nft.Ruleset) -> list[nft.Rule]:
    """All rules, in the order read."""
    return [rule for table in ruleset.tables.values() for chain in table.chains.values() for rule in chain.rules]


@pytest.mark.parametrize("capture", CAPTURES, ids=_name)
def test_every_rule_and_element_is_understood(capture: Listing) -> None:
    ruleset = read(capture.text)
    assert not ruleset.fragment
    assert [rule.text for rule in rules(ruleset) if any(isinstance(each, nft.Unread) for each in rule.statements)] == []
    elements = [
        element for table in ruleset.tables.values() for each in table.sets.values() for element in each.elements
    ]
    assert [element for element in elements if isinstance(element.key, nft.Unread)] == []


@pytest.mark.parametrize("capture", CAPTURES, ids=_name)
def test_rules_print_as_written(capture: Listing) -> None:
    for rule in rules(read(capture.text)):
        assert rule_text(rule.statements, rule.comment) == rule.text.replace("dnat ip addr . port to", "dnat ip to")


@pytest.mark.parametrize("capture", CAPTURES, ids=_name)
def test_lines_are_those_of_the_text(capture: Listing) -> None:
    lines = capture.text.split("\n")
    ruleset = read(capture.text)
    for rule in rules(ruleset):
        assert rule.text in lines[rule.line - 1]
    for table in ruleset.tables.values():
        for each in table.sets.values():
            assert f"{'map' if each.is_map else 'set'} {each.name} {{" in lines[each.line - 1]
            for element in each.elements:
                key = element.key.parts[0] if isinstance(element.key, nft.Concatenation) else element.key
                assert str(key) in lines[element.line - 1]


@pytest.mark.parametrize("capture", [each for each in listings() if each.json is not None], ids=_name)
def test_text_and_json_are_one_ruleset(capture: Listing) -> None:
    assert capture.json is not None
    text, document = read(capture.text), read(capture.json)
    assert document.generator is not None
    assert document.generator.startswith("nft v")
    assert list(text.tables) == list(document.tables)
    for key, table in text.tables.items():
        _assert_equal_tables(table, document.tables[key])


def _assert_equal_tables(text: nft.Table, document: nft.Table) -> None:
    assert set(text.chains) == set(document.chains)
    for name, chain in text.chains.items():
        other = document.chains[name]
        if text.family is not nft.TableFamily.NETDEV:  # nft 1.0.6 leaves the device out of its JSON
            assert chain.base == other.base
        pairs = zip(chain.rules, other.rules, strict=True)
        odd = [(rule.text, one.text) for rule, one in pairs if _said(rule) != _said(one) and not _unread(rule, one)]
        assert odd == []
    assert set(text.sets) == set(document.sets)
    for name, each in text.sets.items():
        typed = " " not in "".join(each.types)  # JSON resolves `typeof`
        assert _shown(each, typed) == _shown(document.sets[name], typed)


def _said(rule: nft.Rule) -> object:
    return rule.statements, rule.comment


def _unread(*pair: nft.Rule) -> bool:
    """What is unknown is kept as it stands, in JSON as JSON; or is known to one of the two."""
    return any(isinstance(statement, nft.Unread) for rule in pair for statement in rule.statements)


def _shown(each: nft.Set, typed: bool) -> object:
    """What text and JSON both show of a set: `dynamic` came late to JSON."""
    types = (each.types, each.data_types) if typed else None
    return types, each.flags - {"dynamic"}, each.timeout, each.size, each.elements, each.statements, each.comment


def test_handles_are_read_and_not_part_of_rules() -> None:
    plain, handled = (read(listing(f"1.33/affinity/nft-ruleset{suffix}").text) for suffix in ("", "-a"))
    assert list(map(_said, rules(plain))) == list(map(_said, rules(handled)))
    assert [rule.text for rule in rules(plain)] == [rule.text for rule in rules(handled)]
    assert all(rule.handle is None for rule in rules(plain))
    assert all(rule.handle for rule in rules(handled))


def test_releases_of_nft_agree() -> None:
    """nft 1.0.6, 1.1.3 and 1.1.7 print one capture: other orders, other spellings, the same rules."""
    one, *others = (read(listing(f"1.36/loadbalancer/nft-ruleset{suffix}").text) for suffix in ("", ".trixie", ".sid"))
    for other in others:
        for key, table in one.tables.items():
            for name, chain in table.chains.items():
                same = other.tables[key].chains[name]
                assert (chain.base, list(map(_said, chain.rules))) == (same.base, list(map(_said, same.rules)))
            for name, each in table.sets.items():
                assert set(each.elements) == set(other.tables[key].sets[name].elements)


def test_other_programs_rules_are_understood_except_for_one_statement() -> None:
    ruleset = read(listing(NEIGHBOURS).text)
    unread = [
        statement.text for rule in rules(ruleset) for statement in rule.statements if isinstance(statement, nft.Unread)
    ]
    assert unread == ['fwd to "lo"']
