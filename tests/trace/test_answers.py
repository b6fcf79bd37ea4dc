"""The errors with which rules reject packets, and rules that stop them: then the sender waits in vain.

What the kernel does with such errors, its tests with random rulesets show.
"""

from __future__ import annotations

import json

import pytest

import ipt_explain
from ipt_explain.records import replace
from ipt_explain.trace import Packet
from tests.audit.edits import ahead_of
from tests.kube_corpus import scenario
from tests.trace.helpers import NODE, POD, go, only

UDP = replace(POD, destination="10.9.9.9", protocol="udp")
UNREACHABLE = "filter -A FORWARD -j REJECT\n"
RESET = "filter -A FORWARD -p tcp -j REJECT --reject-with tcp-reset\n"


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        (UNREACHABLE, "DROP"),
        (UNREACHABLE + "filter -A OUTPUT -m conntrack --ctstate NEW,ESTABLISHED,INVALID -j ACCEPT", "DROP"),
        (UNREACHABLE + "filter -A OUTPUT -m conntrack --ctstate RELATED -j ACCEPT", "REJECT"),
        (UNREACHABLE + "filter -A OUTPUT -p udp -j ACCEPT", "DROP"),
        (UNREACHABLE + "filter -A OUTPUT -p icmp -m icmp --icmp-type 3/3 -j ACCEPT", "REJECT"),
        (UNREACHABLE + "filter -A OUTPUT -p icmp -m icmp --icmp-type 3/1 -j ACCEPT", "DROP"),
        (UNREACHABLE + f"filter -A OUTPUT -s {NODE}/32 -d {POD.source}/32 -o cni0 -j ACCEPT", "REJECT"),
        (UNREACHABLE + "filter -A OUTPUT -s 10.9.9.9/32 -j ACCEPT", "DROP"),
        (UNREACHABLE + "filter -A OUTPUT -o eth1 -j ACCEPT", "DROP"),
        (UNREACHABLE + "filter -A OUTPUT -m set --match-set some dst -j ACCEPT", "REJECT"),  # perhaps
        (UNREACHABLE + "filter -A OUTPUT -m conntrack --ctdir REPLY -m mark --mark 0x0 -j ACCEPT", "REJECT"),
    ],
)
def test_an_error_must_pass_output(rules: str, verdict: str) -> None:
    told = go(rules, UDP, {"OUTPUT": "DROP"})
    assert only(told) == (verdict, None, False)
    reason = "filter OUTPUT stops the answer that rejects it" if verdict == "DROP" else ""
    assert told.outcomes[0].reason == reason


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ("-s 10.9.9.9/32 -p tcp -m tcp --tcp-flags RST RST", "REJECT"),
        ("-p icmp", "DROP"),
        ("-p tcp -m tcp --syn", "DROP"),
    ],
)
def test_a_reset_comes_from_where_the_packet_was_bound_for(rule: str, verdict: str) -> None:
    told = go(f"{RESET}filter -A OUTPUT {rule} -j ACCEPT", replace(UDP, protocol="tcp"), {"OUTPUT": "DROP"})
    assert only(told)[0] == verdict


@pytest.mark.parametrize(("untracked", "verdict"), [("raw -A PREROUTING -j NOTRACK\n", "DROP"), ("", "REJECT")])
def test_errors_are_related_to_connections_that_are_tracked(untracked: str, verdict: str) -> None:
    rules = f"{untracked}{UNREACHABLE}filter -A OUTPUT -m conntrack --ctstate INVALID -j DROP"
    assert only(go(rules, UDP))[0] == verdict


def test_postrouting_may_stop_it_too() -> None:
    told = go(f"{UNREACHABLE}mangle -A POSTROUTING -p icmp -j DROP", UDP)
    assert told.outcomes[0].reason == "mangle POSTROUTING stops the answer that rejects it"


def test_the_node_answers_itself_over_lo() -> None:
    own = Packet(NODE, "10.9.9.9", "udp", 80, entry="output")
    reject = "filter -A OUTPUT -p udp -j REJECT\n"
    for rule, verdict in (("INPUT -i lo -p icmp", "DROP"), ("INPUT -i eth0", "REJECT"), ("OUTPUT -o lo", "DROP")):
        assert only(go(f"{reject}filter -A {rule} -j DROP", own))[0] == verdict
    reset = "filter -A OUTPUT -p tcp -j REJECT --reject-with tcp-reset"
    assert only(go(reset, replace(own, protocol="tcp")))[0] == "DROP"  # the rule meets its own reset


@pytest.mark.parametrize(
    ("statement", "accepts", "verdict"),
    [
        ("reject", "ct state established", "DROP"),
        ("reject", "ct state related", "REJECT"),
        ("reject with icmp type admin-prohibited", "icmp code 13", "REJECT"),
        ("meta l4proto tcp reject with tcp reset", "ip protocol icmp", "DROP"),
        ("meta l4proto tcp reject with tcp reset", "tcp flags & rst == rst", "REJECT"),
    ],
)
def test_nftables(statement: str, accepts: str, verdict: str) -> None:
    dump = ipt_explain.parse(
        "table inet mine {\n chain f {\n  type filter hook forward priority filter; policy accept;\n"
        f"  {statement}\n }}\n chain o {{\n  type filter hook output priority filter; policy drop;\n"
        f"  {accepts} accept\n }}\n}}\n"
    )
    assert only(go(dump, replace(POD, destination="10.9.9.9")))[0] == verdict


def test_explain_tells_what_trace_does() -> None:
    node = scenario("1.30", "basic").ipv4
    text = ahead_of(node, "-A FORWARD -d 10.244.0.0/16 -j REJECT\n-A OUTPUT -p icmp -j DROP", "-A FORWARD -m comment")
    told = json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json())["services"]
    dns = next(service for service in told if service["port_name"] == "dns")
    losses = dns["frontends"][0]["fates"]["pod"]["lost"]
    assert {(lost["how"], lost["verdict"], lost["why"]) for lost in losses} == {
        ("dropped", "DROP", "filter OUTPUT stops the answer that rejects it")
    }
    found = next(each for each in ipt_explain.audit(ipt_explain.parse(text)) if each.rule == "IPT601")
    assert found.message.endswith(", as filter OUTPUT stops the answer that rejects it")
    traced = ipt_explain.trace(ipt_explain.parse(text), Packet("10.244.1.222", "10.96.0.10", "udp", 53))
    assert {outcome.verdict for outcome in traced.outcomes} == {"DROP"}
