from __future__ import annotations

import pytest

from tests.graph.tables import graph, nat

SERVICE = nat(
    "-A PREROUTING -j KUBE-SERVICES",
    "-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j KUBE-SVC-A",
    "-A KUBE-SVC-A -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-B",
    "-A KUBE-SVC-A -j KUBE-SEP-C",
    "-A KUBE-SVC-A -j KUBE-SEP-B",
    "-A KUBE-SEP-B -p tcp -m tcp -j DNAT --to-destination 10.244.0.1:6443",
    "-A KUBE-SEP-C -p tcp -m tcp -j DNAT --to-destination 10.244.0.2:6443",
)


def test_jumps_leave_a_chain_in_rule_order_each_rule_for_itself() -> None:
    assert [jump.target for jump in SERVICE.jumps("KUBE-SVC-A")] == ["KUBE-SEP-B", "KUBE-SEP-C", "KUBE-SEP-B"]
    assert SERVICE.targets["KUBE-SVC-A"] == ("KUBE-SEP-B", "KUBE-SEP-C")
    assert SERVICE.jumps("KUBE-SEP-B") == ()


def test_callers_are_found_with_their_lines() -> None:
    callers = SERVICE.callers("KUBE-SEP-B")
    assert [(jump.source, jump.rule.line) for jump in callers] == [("KUBE-SVC-A", 12), ("KUBE-SVC-A", 14)]
    assert SERVICE.is_called("KUBE-SEP-C") and not SERVICE.is_called("PREROUTING")


@pytest.mark.parametrize("target", ["ACCEPT", "RETURN", "MASQUERADE", "MARK --set-xmark 0x1/0x1", "FOO --with options"])
def test_verdicts_and_extensions_are_no_jumps(target: str) -> None:
    assert nat(f"-A PREROUTING -j {target}").targets == {}


def test_a_declared_chain_is_a_chain_even_if_an_extension_has_its_name() -> None:
    both = nat("-A PREROUTING -j LOG", "-A PREROUTING -j LOG --log-prefix x", "-A LOG -j RETURN")
    assert [(jump.target, jump.rule.line) for jump in both.jumps("PREROUTING")] == [("LOG", 7)]
    assert nat("-A PREROUTING -j LOG").targets == {}


def test_a_goto_leads_to_a_chain_whatever_its_name() -> None:
    (jump,) = nat("-A PREROUTING -g MARK", "-A MARK -j RETURN").jumps("PREROUTING")
    assert jump.target == "MARK" and jump.goto


def test_an_unknown_name_without_options_is_a_jump_to_a_chain_that_is_not_there() -> None:
    dangling = nat("-A PREROUTING -j KUBE-SERVICES", "-A PREROUTING -g ELSEWHERE").dangling
    assert [(jump.target, jump.rule.line) for jump in dangling] == [("KUBE-SERVICES", 6), ("ELSEWHERE", 7)]
    assert SERVICE.dangling == ()


def test_a_fragment_has_jumps_out_of_what_it_shows() -> None:
    part = graph("-A KUBE-SVC-A -j KUBE-SEP-B\n")
    assert [jump.target for jump in part.dangling] == ["KUBE-SEP-B"]
    assert part.hooks == () and part.reachable == frozenset()


def test_names_may_hold_anything_but_blanks() -> None:
    odd = nat('-A PREROUTING -j a"b', '-A a"b -j <[$x\\]>', "-A <[$x\\]> -j ACCEPT")
    assert odd.targets == {"PREROUTING": ('a"b',), 'a"b': ("<[$x\\]>",)}
