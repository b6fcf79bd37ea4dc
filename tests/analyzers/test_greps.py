"""Several greps of one node, in any order: the Services that they show work as they do on the node."""

from __future__ import annotations

import re
from itertools import permutations
from unittest.mock import patch

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.runner import audit_dump
from ipt_explain.netfilter.walk.stages import NodeRules
from ipt_explain.parsing import read_dump
from ipt_explain.services.ports import ServiceState
from ipt_explain.trace import Packet, trace
from tests.kube_corpus import scenario


def grep(text: str, word: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if word in line)


@pytest.mark.parametrize("order", list(permutations(("KUBE-SEP", "KUBE-SVC"))), ids=" ".join)
@pytest.mark.parametrize("version", ["1.14", "1.22", "1.30"])
def test_endpoints_get_their_shares_in_whatever_order_chains_come(version: str, order: tuple[str, ...]) -> None:
    """The greps hold chains for node ports and for local endpoints, too, but not what leads to them."""
    node = scenario(version, "nodeport").ipv4
    for service in explain(read_dump("".join(grep(node, word) for word in order))).services:
        count = len(service.endpoints)
        assert service.state is ServiceState.SERVING
        assert [each.probability for each in service.endpoints] == pytest.approx([1 / count] * count, abs=1e-4)


@pytest.mark.parametrize("version", ["1.14", "1.22", "1.30"])
def test_replies_need_not_be_followed_where_only_nat_is_shown(version: str) -> None:
    node = scenario(version, "nodeport").ipv4
    dump = read_dump("".join(grep(node, word) for word in ("KUBE-SEP", "KUBE-SVC")))
    assert {*dump.rulesets[0].tables} == {"nat"}
    unfollowed = explain(dump)
    with patch.object(NodeRules, "nat_only", new=False):
        assert explain(dump) == unfollowed


def test_what_filter_refuses_for_services_leaves_shares_known() -> None:
    """filter's KUBE-SERVICES is shown in part; its rules are for addresses of Services, which nat has translated."""
    node = scenario("1.30", "nodeport").ipv4
    text = "".join(grep(node, word) for word in ("KUBE-SERVICES", "KUBE-SVC", "KUBE-SEP"))
    services = [each for each in explain(read_dump(text)).services if each.endpoints]
    assert {service.state for service in services} == {ServiceState.SERVING}
    assert None not in {each.probability for service in services for each in service.endpoints}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"^-A KUBE-MARK-MASQ .*\n", ""),
        (r"^(?=-A KUBE-MARK-MASQ )", "-A KUBE-MARK-MASQ -j RETURN\n"),
        (r"^(-A KUBE-MARK-MASQ .*)0x4000/0x4000", r"\1 0x8000/0x8000"),
        (r"^-A POSTROUTING .*-j KUBE-POSTROUTING\n", ""),
    ],
)
def test_no_hairpin_where_marks_do_not_masquerade(old: str, new: str) -> None:
    node = scenario("1.30", "basic").ipv4
    assert _hairpins(node) == {True}
    assert _hairpins(re.sub(old, new, node, flags=re.MULTILINE)) == {False}


def _hairpins(text: str) -> set[bool | None]:
    return {each.hairpin for service in explain(read_dump(text)).services for each in service.endpoints}


def test_the_same_grep_twice_shows_what_one_does() -> None:
    """iptables prints a chain in one piece: where a rule of an earlier one comes again, another output begins."""
    found = grep(scenario("1.30", "basic").ipv4, "kube-dns:dns ")
    once, twice = (explain(read_dump(text)).services for text in (found, found * 2))
    assert [each.endpoints[0].probability for each in twice] == [each.endpoints[0].probability for each in once] != []
    assert [len(each.endpoints) for each in twice] == [2]


def test_greps_that_differ_are_not_put_in_an_order() -> None:
    found = grep(scenario("1.30", "basic").ipv4, "kube-dns:dns ")
    later = "".join(line for line in found.splitlines(True) if "10.244.1.3" not in line)
    later = later.replace("-m statistic --mode random --probability 0.50000000000 ", "")
    assert not [each for each in audit_dump(read_dump(found + later)).findings if each.severity is not Severity.INFO]


SHOWN = """-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "a/web cluster IP" -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA
-A KUBE-SVC-AAAAAAAAAAAAAAAA -m comment --comment "a/web" -j KUBE-SEP-AAAAAAAAAAAAAAAA
-A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m comment --comment "a/web" -m tcp -j DNAT --to-destination 10.244.1.2:80
"""


def test_what_meets_none_of_the_shown_rules_is_unknown() -> None:
    told = trace(read_dump(SHOWN), Packet("10.244.1.77", "10.96.0.99", "tcp", 80))
    (outcome,) = told.outcomes
    assert (outcome.verdict, outcome.probability) == ("UNKNOWN", 1)
    assert outcome.reason == "the rules of chain KUBE-SERVICES that this input does not show"


def test_a_chain_that_leads_out_of_sight_whatever_comes_is_not_supposed_to_be_called() -> None:
    """Something that this input does not show chooses who goes there."""
    (service,) = explain(read_dump(f"-A SOME-LB -p tcp -j SOME-BACKEND\n{SHOWN}")).services
    assert service.state is ServiceState.SERVING


@pytest.mark.parametrize(
    ("rule", "called"), [("-j RETURN", True), ("-p tcp -j MASQUERADE", False), ("-d 10.96.0.99/32 -j MASQUERADE", True)]
)
def test_a_chain_that_rewrites_whatever_comes_is_not_supposed_to_be_called(rule: str, called: bool) -> None:
    told = trace(read_dump(f"*nat\n-A OWN {rule}\n{SHOWN}"), Packet("10.244.1.77", "10.96.0.10", "tcp", 80))
    led = "OWN, KUBE-SERVICES" if called else "KUBE-SERVICES"
    assert f"nat PREROUTING, which this input does not show, leads to {led}" in told.outcomes[0].assumptions
