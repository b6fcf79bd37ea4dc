"""Packets that routing or forwarding stops, and what routing asks of the node."""

from __future__ import annotations

import ipt_explain
from ipt_explain.records import replace
from ipt_explain.trace import Packet, Trace
from tests.trace.helpers import NODE, go, only, save_text, shares

OUTSIDE = Packet("198.51.100.7", NODE, "udp", 80, in_interface="eth0")
SENT = Packet("127.0.0.1", "127.0.0.1", "udp", 80, entry="output")
QUESTION = "net.ipv4.conf.*.route_localnet is 1"


def _verdicts(told: Trace) -> dict[tuple[str, ...], str]:
    return {outcome.assumptions: outcome.verdict for outcome in told.outcomes}


def test_whether_loopback_is_routed_is_an_open_question() -> None:
    rules = "nat -A PREROUTING -p udp -j DNAT --to-destination 127.0.0.1:81"
    told = go(rules, OUTSIDE)
    assert _verdicts(told) == {(f"{QUESTION}=yes",): "ACCEPT", (f"{QUESTION}=no",): "DROP"}
    assert [outcome.reason for outcome in told.outcomes if outcome.verdict == "DROP"] == [
        "127.0.0.1 is not routed from interfaces other than lo"
    ]
    assert _verdicts(go(rules, OUTSIDE, local=())) == _verdicts(told)
    assert only(go(rules, OUTSIDE, assume=["route_localnet=yes"])) == ("ACCEPT", "127.0.0.1:81", False)


def test_leaving_loopback_raises_the_same_question() -> None:
    rules = "nat -A OUTPUT -p udp -j DNAT --to-destination 10.0.0.9:81"
    assert _verdicts(go(rules, SENT)) == {(f"{QUESTION}=yes",): "ACCEPT", (f"{QUESTION}=no",): "DROP"}
    assert _verdicts(go(rules.replace("10.0.0.9", NODE), SENT)) == {(): "ACCEPT"}


def test_loopback_of_ipv6_is_not_routed() -> None:
    rules = "nat -A PREROUTING -d fd00::9 -p udp -j DNAT --to-destination [::1]:81"
    dump = ipt_explain.parse(save_text(rules).replace("iptables-save", "ip6tables-save"))
    packet = Packet("2001:db8::7", "fd00::9", "udp", 80)
    assert only(go(dump, packet, local=["fd00::a"]))[0] == "REJECT"
    assert only(go(dump, replace(packet, destination="::1"), local=["fd00::a"]))[0] == "DROP"


def test_multicast_and_broadcast_are_not_forwarded() -> None:
    dropped = "filter -A FORWARD -j DROP"
    told = go(dropped, replace(OUTSIDE, destination="224.0.0.251"))
    joined = "this node has joined 224.0.0.251"
    assert _verdicts(told) == {(f"{joined}=yes",): "ACCEPT", (f"{joined}=no",): "DROP"}
    everybody = go(dropped, replace(OUTSIDE, destination="255.255.255.255"))
    assert only(everybody) == ("ACCEPT", None, False)
    assert everybody.outcomes[0].delivered


def test_multicast_that_the_node_sends_leaves() -> None:
    (outcome,) = go("filter -A INPUT -j DROP", Packet(NODE, "224.0.0.251", "udp", 5353, entry="output")).outcomes
    assert (outcome.verdict, outcome.delivered) == ("ACCEPT", False)


def test_redirecting_to_an_interface_without_address_drops() -> None:
    rules = save_text("nat -A PREROUTING -p udp -j REDIRECT --to-ports 81")
    lo = "1: lo: <LOOPBACK,UP> mtu 65536\n    inet 127.0.0.1/8 scope host lo\n"
    eth0 = "2: eth0: <BROADCAST,UP> mtu 1500\n"
    bare = ipt_explain.parse(rules + lo + eth0)
    told = go(bare, OUTSIDE, local=())
    assert only(told)[0] == "DROP"
    assert told.outcomes[0].reason == "eth0 has no address to redirect to"
    owned = ipt_explain.parse(rules + lo + eth0 + f"    inet {NODE}/24 scope global eth0\n")
    assert only(go(owned, OUTSIDE, local=())) == ("ACCEPT", f"{NODE}:81", False)


def test_a_packet_without_hops_is_not_forwarded() -> None:
    told = go("mangle -A PREROUTING -j TTL --ttl-set 1", replace(OUTSIDE, destination="10.0.0.9"))
    assert only(told)[0] == "REJECT"
    assert told.outcomes[0].reason == "its TTL has run out"


def test_an_unknown_ttl_may_not_be_enough_for_rules_that_lower_it_by_many() -> None:
    lowered = "mangle -A PREROUTING -j TTL --ttl-dec {}"
    forwarded = replace(OUTSIDE, destination="10.0.0.9")
    assert only(go(lowered.format(20), forwarded))[0] == "ACCEPT"
    assert only(go(lowered.format(60), OUTSIDE))[0] == "ACCEPT"  # for the node itself
    told = go(lowered.format(60), forwarded)
    assert {verdict for verdict, _, _ in shares(told)} == {"ACCEPT", "REJECT"}
    assert {str(each) for outcome in told.outcomes for each in outcome.assumptions} == {
        "it has come with a TTL above 61=yes", "it has come with a TTL above 61=no"
    }  # fmt: skip
    assert only(go(lowered.format(60), forwarded, assume=["TTL above 61=no"])) == ("REJECT", None, False)
    assert only(go(f"{lowered.format(60)}\nmangle -A PREROUTING -j TTL --ttl-set 2", forwarded))[0] == "ACCEPT"


def test_masquerading_over_lo_hides_a_loopback_source() -> None:
    rules = "nat -A POSTROUTING -o lo -j MASQUERADE\nfilter -A INPUT -s {} -j DROP"
    assert only(go(rules.format("127.0.0.0/8"), SENT)) == ("ACCEPT", None, True)
    assert only(go(rules.format(NODE), SENT))[0] == "DROP"
    unknown = go(rules.format("192.0.2.0/24"), SENT, local=())
    assert set(shares(unknown)) == {("ACCEPT", None, True), ("DROP", None, False)}


def test_rewriting_the_source_to_what_it_is_counts_as_masquerading() -> None:
    sent = Packet(NODE, NODE, "udp", 80, entry="output")
    rules = f"nat -A POSTROUTING -j SNAT --to-source {NODE}\nfilter -A INPUT -m conntrack --ctstate SNAT -j DROP"
    assert only(go(rules, sent)) == ("ACCEPT", None, True)
    assert only(go(rules.replace(f"--to-source {NODE}", f"--to-source {NODE}:1024-65535"), sent))[0] == "DROP"
