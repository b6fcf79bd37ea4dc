"""Where nothing masquerades marked connections, explain names the rule to look at, or the chain that lacks one."""

from __future__ import annotations

import re

import pytest

from ipt_explain.audit.findings.severity import Severity
from tests.audit.edits import ahead_of, captured, changed, without
from tests.audit.helpers import audit_text
from tests.cli.program import run
from tests.nft_corpus import listing

NODE = captured("1.30", "nodeport")
HOOK = ("-A POSTROUTING", "KUBE-POSTROUTING")
SNAT = ("-A KUBE-POSTROUTING", "MASQUERADE")
OF_PODS = "-A POSTROUTING -s 10.244.0.0/16 -d 10.244.0.0/16 -j ACCEPT"

CASES = {
    "no jump": (without(NODE, *HOOK), "nat POSTROUTING", "no rule here jumps to KUBE-POSTROUTING"),
    "narrow jump": (
        changed(NODE, "-m comment", "-o eth7 -p 41 -m comment", *HOOK),
        "nat POSTROUTING",
        "this rule does not match all marked packets",
    ),
    "no MASQUERADE": (without(NODE, *SNAT), "nat KUBE-POSTROUTING", "no rule here masquerades"),
    "narrow MASQUERADE": (
        changed(NODE, "-m comment", "-p 41 -m comment", *SNAT),
        "nat KUBE-POSTROUTING",
        "this rule does not match all marked packets",
    ),
    "no mark": (without(NODE, "-A KUBE-MARK-MASQ"), "nat KUBE-MARK-MASQ", "this chain sets no mark"),
    "another mark": (
        changed(NODE, "0x4000/0x4000", "0x8000/0x8000", "-A KUBE-MARK-MASQ"),
        "nat KUBE-POSTROUTING",
        "RETURN lets packets with mark 0x8000 pass before MASQUERADE",
    ),
    "taken before": (
        ahead_of(NODE, "-A POSTROUTING -j ACCEPT", *HOOK),
        "nat POSTROUTING",
        "ACCEPT lets packets with mark 0x4000 pass before MASQUERADE",
    ),
    "pods passed": (
        ahead_of(NODE, "-A KUBE-POSTROUTING -s 10.244.0.0/16 -j RETURN", "-A KUBE-POSTROUTING", "! --mark"),
        "nat KUBE-POSTROUTING",
        "RETURN lets packets with mark 0x4000 pass before MASQUERADE",
    ),
    "pods taken before": (
        ahead_of(NODE, OF_PODS, *HOOK),
        "nat POSTROUTING",
        "ACCEPT lets packets with mark 0x4000 pass before MASQUERADE",
    ),
}


def node_line(text: str) -> str:
    """What explain says about the node as a whole."""
    said = " ".join(run("explain", "-", stdin=text).out.split())
    found = re.search("NODE (.*) SERVICES", said)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("case", CASES)
def test_the_line_to_look_at_is_named_as_in_the_audit(case: str) -> None:
    text, place, why = CASES[case]
    said = node_line(text)
    found = re.match(rf"✗ {place}, line (\d+): {re.escape(why)}, so masquerading does not work for \d+ service ports: ", said)
    assert found is not None, said
    assert said.count("✗") == 1
    found_there = [each for each in audit_text(text) if each.severity is not Severity.INFO]
    assert int(found[1]) in {line for each in found_there for line in (each.line, *each.related_lines)}


def test_a_rule_of_kube_postrouting_for_pods_is_an_error() -> None:
    (found,) = [each for each in audit_text(CASES["pods passed"][0]) if each.severity is not Severity.INFO]
    assert (found.rule, found.severity, len(found.services)) == ("IPT408", Severity.ERROR, 9)
    assert found.message.endswith("pods cannot reach themselves through 9 service ports")


def test_clients_of_node_ports_are_named_only_if_they_get_no_reply() -> None:
    assert "nor does a client of a node port" in node_line(CASES["taken before"][0])
    assert "client" not in node_line(CASES["pods taken before"][0])


def test_nftables_mode_names_its_chain() -> None:
    text = listing("1.33/basic/nft-ruleset").text
    without_it = "\n".join(line for line in text.splitlines() if "masquerade fully" not in line)
    assert node_line(without_it).startswith("✗ ip kube-proxy masquerading, line 104: no rule here masquerades")
