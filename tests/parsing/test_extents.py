"""How much of a ruleset a text shows: whole chains, cut ones, some rules, none."""

from __future__ import annotations

import pytest

from ipt_explain.errors import DumpSyntaxError
from ipt_explain.model import Extent, Form, Hidden, Ruleset
from ipt_explain.parsing import read_dump

_NAT = (
    "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
    ":A - [0:0]\n:B - [0:0]\n:C - [0:0]\n"
)
_RULES = "-A PREROUTING -j A\n-A A -j B\n-A B -j C\n-A C -p tcp -j RETURN\n"


def _read(text: str) -> Ruleset:
    return read_dump(text).rulesets[0]


def _extents(text: str) -> list[Extent]:
    return [_read(text).extent("nat", chain) for chain in ("PREROUTING", "A", "B", "C", "NEVER-MENTIONED")]


def test_a_table_with_its_commit_is_whole() -> None:
    assert _extents(_NAT + _RULES + "COMMIT\n") == [Extent.WHOLE] * 5
    assert _read(_NAT + _RULES + "COMMIT\n").extent("filter", "INPUT") is Extent.NONE


def test_a_text_that_is_cut_is_whole_up_to_its_last_chain() -> None:
    text = _NAT + "-A PREROUTING -j A\n-A A -j B\n"
    assert _extents(text) == [Extent.WHOLE, Extent.START, Extent.START, Extent.START, Extent.WHOLE]
    assert _read(text).fragment


def test_a_text_that_is_cut_in_its_declarations_may_have_more_chains() -> None:
    assert _extents(_NAT) == [Extent.START] * 4 + [Extent.NONE]


def test_a_table_without_commit_before_another_has_lost_lines() -> None:
    text = _NAT + _RULES + "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"
    assert _extents(text) == [Extent.HOLED] * 4 + [Extent.NONE]


def test_an_undeclared_chain_in_use_shows_that_lines_are_missing() -> None:
    assert _extents(_NAT.replace(":B - [0:0]\n", "") + _RULES + "COMMIT\n")[0] is Extent.HOLED


def test_bare_rules_are_some_of_their_chains() -> None:
    assert _extents("-A A -s 10.0.0.1/32 -j DNAT --to-destination 10.0.0.2\n") == [
        Extent.NONE, Extent.SOME, Extent.NONE, Extent.NONE, Extent.NONE
    ]  # fmt: skip


def test_restore_input_shows_the_chains_that_it_declares() -> None:
    ruleset = _read("*nat\n:A - [0:0]\n-A A -j B\nCOMMIT\n")
    assert ruleset.form is Form.RESTORE
    assert (ruleset.extent("nat", "A"), ruleset.extent("nat", "B")) == (Extent.WHOLE, Extent.NONE)


def test_the_last_chain_of_a_listing_may_continue() -> None:
    text = "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n-N X\n-A INPUT -j X\n-A X -j DROP\n"
    ruleset = _read(text)
    assert [ruleset.extent("filter", chain) for chain in ("INPUT", "X")] == [Extent.WHOLE, Extent.START]


def test_what_iptables_save_could_not_print_is_hidden() -> None:
    rules = _read("-A X -m tcp [unsupported revision] -j DNAT [unsupported revision]\n").tables["nat"].chains["X"].rules
    assert rules[0].shape.hidden == {Hidden.CONDITIONS, Hidden.TARGET}


def test_half_a_last_line_is_left_out() -> None:
    ruleset = _read(_NAT + "-A PREROUTING -j A\n-A A -j B\n-A B -j KUBE-SEP-AB")
    assert [rule.target for rule in ruleset.tables["nat"].chains["A"].rules] == ["B"]
    assert not ruleset.tables["nat"].chains["B"].rules
    assert ruleset.extent("nat", "B") is Extent.START
    assert list(_read(_NAT + "COMMIT\n*fil").tables) == ["nat"]


@pytest.mark.parametrize("dots", ["...", "# ...", "[…]", "(snip)", "--- 12 more rules ---", "[... output omitted ...]", "... (cut, 9 more lines)"])
def test_dots_leave_the_chain_below_them_without_its_first_rules(dots: str) -> None:
    ruleset = _read(_NAT + f"-A PREROUTING -j A\n{dots}\n-A A -j B\n-A B -j RETURN\nCOMMIT\n")
    extents = [ruleset.extent("nat", chain) for chain in ("PREROUTING", "A", "B")]
    assert extents == [Extent.SOME, Extent.HOLED, Extent.SOME]
    assert [rule.target for rule in ruleset.tables["nat"].chains["PREROUTING"].rules] == ["A"]


def test_rules_below_dots_that_only_another_table_can_have_are_that_tables() -> None:
    nat, other = "-A OUTPUT -p tcp -j DNAT --to-destination 10.0.0.1:80", "-A OUTPUT -p udp -j REJECT"
    ruleset = _read(f"{_NAT}{nat}\n...\n{other}\nCOMMIT\n")
    for table, rule in (("nat", nat), ("filter", other)):
        assert [each.text for each in ruleset.tables[table].chains["OUTPUT"].rules] == [rule]


def test_a_target_that_an_old_iptables_misreads_is_hidden() -> None:
    text = "-A X -p tcp -j DNAT --to-destination :0 --persistent --to-destination :0 --persistent\n"
    assert _read(text).tables["nat"].chains["X"].rules[0].shape.hidden == {Hidden.TARGET}
    assert any("-:1: an iptables older than" in warning for warning in read_dump(text).warnings)


def _lenient(text: str) -> list[Extent]:
    ruleset = read_dump(text, lenient=True).rulesets[0]
    return [ruleset.extent("nat", chain) for chain in ("PREROUTING", "A", "B", "C", "NEVER-MENTIONED")]


def test_an_unreadable_line_leaves_a_hole_only_in_its_chain() -> None:
    text = _NAT + _RULES + "-A B --nonsense\nCOMMIT\n"
    assert _lenient(text) == [Extent.WHOLE, Extent.WHOLE, Extent.HOLED, Extent.WHOLE, Extent.WHOLE]
    assert read_dump(text, lenient=True).rulesets[0].fragment


def test_a_line_without_chain_may_belong_to_any_chain_of_its_table() -> None:
    for line in ("what is this?", "-A BROKEN-NA --nonsense", ":B - [0:0]\0"):
        assert _lenient(_NAT + _RULES + line + "\nCOMMIT\n") == [Extent.HOLED] * 4 + [Extent.NONE]


def test_a_line_outside_of_tables_leaves_no_hole_in_them() -> None:
    assert _lenient("-A B --nonsense\n" + _NAT + _RULES + "COMMIT\n") == [Extent.WHOLE] * 5


def test_a_table_without_a_name_may_be_any() -> None:
    ruleset = read_dump(_NAT + _RULES + "COMMIT\n*flter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", lenient=True).rulesets[0]
    assert ruleset.fragment


def test_a_bare_rule_that_cannot_be_read_leaves_a_hole_in_its_chain() -> None:
    ruleset = read_dump("-A A -j B\n-A B -j DNAT --to-destination 10.0.0.1\n-A A --nonsense\n", lenient=True).rulesets[
        0
    ]
    assert [ruleset.extent("nat", chain) for chain in "AB"] == [Extent.HOLED, Extent.SOME]


_LISTED = "-P PREROUTING ACCEPT\n-N KUBE-X\n-A PREROUTING -j KUBE-X\n"


@pytest.mark.parametrize("before", [_LISTED, '-A KUBE-X -j RETURN\n-A KUBE-X -s 10.0.0.1 -j RETURN\n'], ids=["-S", "greps"])
@pytest.mark.parametrize("half", ["--commen", '--comment "kubernetes ser', "-"])
def test_half_a_last_line_is_left_out_and_leaves_a_fragment(before: str, half: str) -> None:
    dump = read_dump(f"{before}-A KUBE-X -m comment {half}")
    assert any("was left out" in warning for warning in dump.warnings)
    assert all(ruleset.fragment for ruleset in dump.rulesets)
    with pytest.raises(DumpSyntaxError):
        read_dump(f"{before}-A KUBE-X -m comment --commen\n")
