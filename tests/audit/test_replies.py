"""What stops only replies: explain, trace, audit and compare say so alike, and nobody where replies pass."""

from __future__ import annotations

import json

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.audit.runner import audit_dump
from ipt_explain.netfilter.walk.known_connections import may_stop_known
from ipt_explain.parsing import read_dump
from ipt_explain.services.fates import Loss, Vantage
from ipt_explain.trace.packet import Packet
from ipt_explain.trace.tracer import trace
from tests.audit.edits import captured, policy, without
from tests.audit.test_lost_traffic import with_rule
from tests.nft_corpus import listings

NODE = captured("1.30", "basic")
POD, HOST, OUTSIDE = Vantage.POD, Vantage.NODE, Vantage.OUTSIDE


def unanswered(text: str, name: str = "dns") -> dict[Vantage, float]:
    """The share of connections to a port of kube-dns that get no reply, by vantage point."""
    service = next(each for each in explain(read_dump(text)).services if each.port_name == name)
    (frontend,) = service.frontends
    assert frontend.fates is not None
    return {
        vantage: round(sum(lost.probability for lost in fate.lost if lost.how is Loss.UNANSWERED), 6)
        for vantage, fate in frontend.fates.items()
        if fate.lost
    }


@pytest.mark.parametrize(
    ("table", "chain", "rule", "cut_off"),
    [
        ("filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED -j DROP", {POD: 1, OUTSIDE: 1}),
        ("filter", "FORWARD", "-m conntrack --ctdir REPLY -j REJECT", {POD: 1, OUTSIDE: 1}),
        ("filter", "FORWARD", "-s 10.244.1.2/32 -m state --state ESTABLISHED -j DROP", {POD: 0.5, OUTSIDE: 0.5}),
        ("filter", "FORWARD", "-p udp -m udp --sport 53 -m conntrack --ctdir REPLY -j DROP", {POD: 1, OUTSIDE: 1}),
        ("filter", "INPUT", "-m conntrack --ctstate RELATED,ESTABLISHED -j DROP", {HOST: 1}),
        ("mangle", "PREROUTING", "-m conntrack --ctstatus SEEN_REPLY -j DROP", {POD: 1, HOST: 1, OUTSIDE: 1}),
        ("mangle", "POSTROUTING", "-s 10.244.1.0/24 -m conntrack --ctdir REPLY -j DROP", {POD: 1, OUTSIDE: 1}),
        ("filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL -j DROP", {POD: 1, OUTSIDE: 1}),
        ("filter", "OUTPUT", "-m conntrack --ctstate ESTABLISHED -j DROP", {HOST: 1}),
        ("filter", "FORWARD", "-d 10.244.1.2/32 -m conntrack --ctstate ESTABLISHED -j DROP", {POD: 0.5, OUTSIDE: 0.5}),
        ("filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED --ctorigdst 10.96.0.10 -j DROP", {POD: 1, OUTSIDE: 1}),
        ("filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED --ctorigdst 10.96.0.1 -j DROP", {}),
        ("filter", "FORWARD", "-m conntrack --ctdir ORIGINAL --ctstatus SEEN_REPLY --ctorigdstport 53 -j DROP", {POD: 1, OUTSIDE: 1}),
        ("filter", "FORWARD", "-m conntrack --ctdir REPLY --ctreplsrc 10.244.1.3 -j DROP", {POD: 0.5, OUTSIDE: 0.5}),
        ("filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED --ctreplsrcport 54 -j DROP", {}),
        ("filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED ! --ctreplsrcport 53 -j DROP", {}),
        ("mangle", "PREROUTING", "-d 127.0.0.0/8 -m conntrack --ctstate ESTABLISHED -j DROP", {}),
        ("filter", "FORWARD", "-m conntrack --ctstatus ASSURED -j DROP", {}),
        ("filter", "FORWARD", "-p udp -m udp ! --dport 53 -j DROP", {POD: 1, OUTSIDE: 1}),
        ("filter", "FORWARD", "-p udp -m multiport ! --dports 53,1024:65535 -j DROP", {}),
        ("filter", "FORWARD", "-p tcp -m tcp --tcp-flags SYN,ACK ACK -j DROP", {}),
        ("filter", "FORWARD", "-p udp -m mark --mark 0x8000/0x8000 -j DROP", {}),
        ("filter", "FORWARD", "-p tcp -m conntrack --ctstate ESTABLISHED -j DROP", {}),
        ("raw", "PREROUTING", "-s 10.244.0.0/16 -p udp -m udp --sport 53 -j NOTRACK", {HOST: 1, OUTSIDE: 1}),
        ("raw", "PREROUTING", "-s 10.244.1.3/32 -p udp -j CT --notrack", {POD: 0.5, HOST: 0.5, OUTSIDE: 0.5}),
        ("raw", "PREROUTING", "-p udp -j CT --zone 5", {HOST: 1}),
        ("filter", "INPUT", "-s 10.244.0.0/16 -j DROP", {HOST: 1}),
        ("security", "INPUT", "-s 10.244.0.0/16 -j DROP", {}),  # with iptables-nft, after nat
        ("security", "INPUT", "-s 10.96.0.10/32 -j DROP", {HOST: 1}),
        ("raw", "PREROUTING", "-p udp -j CT --zone-orig 5", {}),
        ("nat", "PREROUTING", "-s 10.244.1.2/32 -j ACCEPT", {}),
    ],
)
def test_a_rule_that_stops_replies_is_a_loss(table: str, chain: str, rule: str, cut_off: dict[Vantage, float]) -> None:
    text = with_rule(NODE, table, chain, rule)
    assert unanswered(text) == cut_off
    told = [each.message for each in audit_dump(read_dump(text)).findings]
    stopped = ("replies to", "later packets of", "recognising")
    assert any(any(words in message for words in stopped) and "kube-dns:dns (" in message for message in told) is bool(cut_off)


def test_what_the_node_sends_to_its_own_addresses_leaves_by_lo() -> None:
    """OUTPUT sees that of every packet of a connection, wherever NAT then leads it."""
    text = policy(captured("1.30", "nodeport"), "filter", "OUTPUT", "DROP")
    for rule in ("-m conntrack --ctstate NEW -j ACCEPT", "-o lo -j ACCEPT"):
        text = with_rule(text, "filter", "OUTPUT", rule)
    services = {each.name: each for each in explain(read_dump(text)).services}
    to_cluster_ip, to_node_port = (dict(each.fates.items())[HOST] for each in services["np-local"].frontends if each.fates)
    assert ([lost.how for lost in to_cluster_ip.lost], to_node_port.lost) == ([Loss.UNANSWERED], ())
    node_port = services["np-local"].frontends[1].port
    packet = Packet("192.0.2.10", "192.0.2.10", "tcp", node_port, entry="output")
    outcomes = json.loads(trace(read_dump(text), packet, local_addresses=["192.0.2.10"]).to_json())["outcomes"]
    assert {each["judgement"] for each in outcomes} == {"served"}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("-o lo -m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL -j DROP", "unanswered"),
        ("-o lo -m conntrack --ctdir REPLY -j DROP", "unanswered"),
        ("-o eth0 -m conntrack --ctdir REPLY -j DROP", "served"),
    ],
)
def test_an_endpoint_on_the_node_itself_is_reached_and_answers_by_lo(rule: str, told: str) -> None:
    text, own = with_rule(NODE, "mangle", "POSTROUTING", rule), "192.168.50.10"
    packet = Packet(own, "10.96.0.1", "tcp", 443, entry="output")
    (outcome,) = json.loads(trace(read_dump(text), packet, local_addresses=[own]).to_json())["outcomes"]
    assert (outcome["dnat"], outcome["judgement"]) == (f"{own}:6443", told)


def test_ahead_of_connection_tracking_every_packet_is_invalid() -> None:
    """First packets that arrive are lost; of the node's, which do not, the replies."""
    text = with_rule(NODE, "raw", "PREROUTING", "-m conntrack --ctstate INVALID -j DROP")
    assert unanswered(text) == {POD: 0, HOST: 1, OUTSIDE: 0}


@pytest.mark.parametrize(
    ("rule", "cut_off"),
    [
        ("-p tcp -m tcp --tcp-flags PSH PSH -j DROP", {POD: 1, OUTSIDE: 1}),
        ("-p tcp -m tcp --sport 53 --tcp-flags SYN,ACK ACK -j DROP", {POD: 1, OUTSIDE: 1}),
        ("-s 10.244.1.2/32 -p tcp -m tcp ! --tcp-flags SYN SYN -j DROP", {POD: 0.5, OUTSIDE: 0.5}),
        ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK,URG FIN,ACK,URG -j DROP", {}),
        ("-p tcp -m tcp --tcp-flags ALL NONE -j DROP", {}),
    ],
)
def test_data_follows_the_packets_that_set_a_connection_up(rule: str, cut_off: dict[Vantage, float]) -> None:
    assert unanswered(with_rule(NODE, "filter", "FORWARD", rule), "dns-tcp") == cut_off


@pytest.mark.parametrize(
    ("chunks", "stopped"),
    [("all INIT", False), ("any INIT_ACK", True), ("only COOKIE_ECHO", True), ("any DATA", True), ("any ABORT", False)],
)
def test_chunks_of_sctp(chunks: str, stopped: bool) -> None:
    rule = f"-p sctp -m conntrack --ctstate ESTABLISHED -m sctp --chunk-types {chunks} -j DROP"
    text = with_rule(captured("1.30", "nodeport"), "filter", "FORWARD", rule)
    service = next(each for each in explain(read_dump(text)).services if each.name == "np-sctp")
    assert all(each.fates is not None and bool(each.fates.pod.lost or each.fates.pod.open) is stopped for each in service.frontends)


@pytest.mark.parametrize("ports", ["20000-20099", "1024-65535"])
@pytest.mark.parametrize("hook", [("raw", "PREROUTING"), ("mangle", "PREROUTING"), ("filter", "INPUT")])
def test_replies_find_the_port_that_masquerading_chose(ports: str, hook: tuple[str, str]) -> None:
    masquerading = with_rule(NODE, "nat", "POSTROUTING", f"-d 10.244.0.0/16 -p tcp -j MASQUERADE --to-ports {ports}")
    text = with_rule(masquerading, *hook, "-p tcp -m tcp --dport 20000:20099 -j DROP")
    stopped = {POD: 1, HOST: 1, OUTSIDE: 1} if ports == "20000-20099" and hook[0] != "filter" else {}
    assert unanswered(text, "dns-tcp") == stopped


def test_untracking_that_depends_on_an_interface_is_in_doubt() -> None:
    text = with_rule(NODE, "raw", "PREROUTING", "-i cni0 -p udp -m udp --sport 53 -j NOTRACK")
    assert unanswered(text) == {}
    (found,) = [each for each in audit_dump(read_dump(text)).findings if each.rule == "IPT120"]
    assert "this rule may exempt connections from pods and the node to kube-system/kube-dns:dns" in found.message


@pytest.mark.parametrize(
    ("rule", "cut_off"),
    [
        ("! --dst-range 10.244.0.0-10.244.255.255", {OUTSIDE: 1}),  # where replies go
        ("! --dst-range 10.244.1.0-10.244.1.255", {OUTSIDE: 1}),  # perhaps those to pods, too
        ("--src-range 10.244.1.2-10.244.1.2", {POD: 0.5, OUTSIDE: 0.5}),
        ("--dst-range 10.96.0.0-10.96.255.255", {}),
    ],
)
def test_ranges_of_addresses_are_held_against_what_is_known_of_clients(rule: str, cut_off: dict[Vantage, float]) -> None:
    assert unanswered(with_rule(NODE, "filter", "FORWARD", f"-m iprange {rule} -j DROP")) == cut_off


@pytest.mark.parametrize("known", [True, False])
def test_a_policy_of_drop_lets_only_known_connections_reply(known: bool) -> None:
    text = with_rule(policy(NODE, "filter", "FORWARD", "DROP"), "filter", "FORWARD", "-m conntrack --ctstate NEW -j ACCEPT")
    if not known:
        text = without(text, "-A KUBE-FORWARD ", "RELATED,ESTABLISHED")
    assert unanswered(text) == ({} if known else {POD: 1, OUTSIDE: 1})


def test_a_policy_decides_where_rules_ahead_of_it_may_stop_some_replies() -> None:
    text = with_rule(policy(NODE, "filter", "INPUT", "DROP"), "filter", "INPUT", "-m ttl --ttl-lt 2 -j DROP")
    assert unanswered(text) == {HOST: 1}
    service = next(each for each in explain(read_dump(text)).services if each.port_name == "dns")
    (frontend,) = service.frontends
    assert frontend.fates is not None
    assert {lost.decider.text for lost in frontend.fates.node.lost} == {":INPUT DROP"}


def test_trace_says_who_stops_the_reply() -> None:
    text = with_rule(NODE, "filter", "FORWARD", "-s 10.244.1.2/32 -m conntrack --ctstate ESTABLISHED -j DROP")
    found = trace(read_dump(text), Packet("10.244.1.77", "10.96.0.10", "udp", 53))
    told = {each["dnat"]: each for each in json.loads(found.to_json())["outcomes"]}
    cut_off, served = told["10.244.1.2:53"], told["10.244.1.3:53"]
    assert (cut_off["verdict"], cut_off["judgement"], cut_off["reply"]["verdict"]) == ("ACCEPT", "unanswered", "DROP")
    assert [step["chain"] for step in cut_off["reply"]["path"]] == ["FORWARD"]
    assert (served["judgement"], "reply" in served) == ("served", False)


def test_trace_says_who_keeps_the_reply_from_being_translated_back() -> None:
    text = with_rule(NODE, "raw", "PREROUTING", "-i snk0 -p udp -m udp --sport 53 -j NOTRACK")
    assert unanswered(text) == {}  # depends on the interface, and the rule asks for no state
    packet = Packet("10.244.1.77", "10.96.0.10", "udp", 53, in_interface="cni0")
    found = trace(read_dump(text), packet, out_interface="snk0")
    (told, _) = json.loads(found.to_json())["outcomes"]
    assert (told["judgement"], told["reply"]["verdict"]) == ("unanswered", "ACCEPT")
    assert [step["rule"] for step in told["reply"]["path"]] == ["-A PREROUTING -i snk0 -p udp -m udp --sport 53 -j NOTRACK"]


def test_the_document_counts_them_as_arriving() -> None:
    text = with_rule(NODE, "filter", "FORWARD", "-m conntrack --ctstate ESTABLISHED -j DROP")
    service = next(each for each in json.loads(explain(read_dump(text)).to_json())["services"] if each["port_name"] == "dns")
    pod = service["frontends"][0]["fates"]["pod"]
    assert (service["state"], pod["served"], pod["lost"]) == ("blocked", 1, [])
    assert [(each["probability"], each["chain"]) for each in pod["unanswered"]] == [(1, "FORWARD")]
    assert {each["probability"] for each in service["endpoints"]} == {0.5}


def test_the_clients_acknowledgement_assures_a_tcp_connection() -> None:
    text = with_rule(NODE, "filter", "FORWARD", "-m conntrack --ctstatus ASSURED -j DROP")
    assert unanswered(text, "dns-tcp") == {POD: 1, OUTSIDE: 1}


def test_nftables() -> None:
    text = next(each.text for each in listings() if each.name.endswith("1.33/basic/nft-ruleset"))
    stop = "table inet f {\n chain f {\n type filter hook forward priority 0; policy accept;\n ct state established drop\n }\n}\n"
    assert unanswered(text) == {}
    assert unanswered(text + stop) == {POD: 1, OUTSIDE: 1}
    assert unanswered(text + stop.replace("ct state", "ct direction reply ct state")) == {POD: 1, OUTSIDE: 1}
    for late in ("postrouting priority 250", "input priority 150"):  # NAT has been undone there
        of_vip = stop.replace("forward priority 0", late).replace("ct state established", "ip saddr 10.96.0.10")
        assert unanswered(text + of_vip) == ({HOST: 1} if late.startswith("input") else {POD: 1, OUTSIDE: 1})
        assert unanswered(text + of_vip.replace("10.96.0.10", "10.244.0.0/16 ct direction reply")) == {}
    zone = "table inet f {\n chain f {\n type filter hook prerouting priority -300; policy accept;\n ct zone set 5\n }\n}\n"
    assert unanswered(text + zone) == {HOST: 1}
    of_dns = "ct original ip daddr {} ct state"
    assert unanswered(text + stop.replace("ct state", of_dns.format("10.96.0.10"))) == {POD: 1, OUTSIDE: 1}
    assert unanswered(text + stop.replace("ct state", of_dns.format("10.96.0.1"))) == {}


@pytest.mark.parametrize("state", ["-m conntrack --ctstate", "-m state --state"])
def test_what_depends_on_an_interface_is_in_doubt(state: str) -> None:
    text = with_rule(NODE, "filter", "FORWARD", f"-i eth0 {state} ESTABLISHED -j DROP")
    assert unanswered(text) == {}
    (found,) = [each for each in audit_dump(read_dump(text)).findings if each.rule == "IPT120"]
    assert "may drop replies to connections from pods" in found.message
    packet = Packet("10.244.1.77", "10.96.0.10", "udp", 53)
    for answer, judgement in (("yes", "unanswered"), ("no", "served")):
        outcomes = json.loads(trace(read_dump(text), packet, assume=[f"-i eth0={answer}"]).to_json())["outcomes"]
        assert {each["judgement"] for each in outcomes} == {judgement}


def test_a_masqueraded_client_is_answered_at_an_address_of_the_node() -> None:
    """Rules of mangle's PREROUTING see that: masquerading is undone after it."""
    text = without(NODE, "-A KUBE-POSTROUTING ", "RETURN")
    stopped = with_rule(text, "mangle", "PREROUTING", "-d 10.244.0.0/16 -m conntrack --ctstate ESTABLISHED -j DROP")
    assert unanswered(with_rule(NODE, "mangle", "PREROUTING", "-d 10.244.0.0/16 -m conntrack --ctstate ESTABLISHED -j DROP"))[POD] == 1
    assert unanswered(stopped) == {}


def test_a_known_client_is_answered_at_its_own_port() -> None:
    text = with_rule(NODE, "filter", "FORWARD", "-p udp -m udp --dport 40001 -j DROP")
    assert unanswered(text) == {}
    for port, judgement in ((40001, "unanswered"), (40002, "served")):
        packet = Packet("10.244.1.77", "10.96.0.10", "udp", 53, source_port=port)
        outcomes = json.loads(trace(read_dump(text), packet).to_json())["outcomes"]
        assert {each["judgement"] for each in outcomes} == {judgement}


def test_no_client_uses_the_port_of_a_service() -> None:
    text = with_rule(NODE, "filter", "INPUT", "-p tcp -m tcp --dport 30001 -j DROP")
    assert [each for each in audit_dump(read_dump(text)).findings if each.rule == "IPT120"] == []


@pytest.mark.parametrize("version", ["1.14", "1.18", "1.22", "1.27", "1.30"])
def test_on_nodes_without_a_firewall_nobody_looks_for_replies(version: str) -> None:
    assert not may_stop_known(read_dump(captured(version, "nodeport")).rulesets)
    stops = with_rule(captured(version, "nodeport"), "filter", "FORWARD", "-p tcp -j DROP")
    assert may_stop_known(read_dump(stops).rulesets)


@pytest.mark.parametrize(
    ("chain", "rules", "doubted"),
    [
        ("INPUT", ["-i docker0 -j DROP"], True),
        ("INPUT", ["-i docker0 -p tcp -m tcp --dport 22 -j DROP"], False),
        ("INPUT", ["-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-i docker0 -j DROP"], False),
        ("FORWARD", ["-i docker0 -j DROP"], False),  # as first packets
    ],
)
def test_a_rule_that_only_replies_meet_is_in_doubt(chain: str, rules: list[str], doubted: bool) -> None:
    text = NODE
    for rule in reversed(rules):
        text = with_rule(text, "filter", chain, rule)
    fates = [each.fates for service in explain(read_dump(text)).services for each in service.frontends]
    assert {lost.how for each in fates if each is not None for lost in each.node.perhaps} == ({Loss.UNANSWERED} if doubted else set())
    assert unanswered(text) == {}
