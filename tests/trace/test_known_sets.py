"""Packets through rules of IPVS mode, where sets and addresses are known."""

from __future__ import annotations

import pytest

import ipt_explain
from ipt_explain.trace import Trace
from tests.ipvs_corpus import IpvsNode, ipvs_nodes

NODE = next(each for each in ipvs_nodes() if each.id.endswith("/loadbalancer"))
RULES = ("iptables-save",)
ALL = ("ip-addr-kube-ipvs0", "ipvsadm-Ln", "ipset-list", "iptables-save")


def traced(node: IpvsNode, destination: str, port: int, names: tuple[str, ...] = ALL, source: str = "198.51.100.9") -> Trace:
    packet = ipt_explain.Packet(source=source, destination=destination, port=port, in_interface="eth0")
    return ipt_explain.trace(ipt_explain.parse(node.text(names)), packet)


def test_rules_alone_leave_questions() -> None:
    assert len(traced(NODE, "10.96.0.1", 443, RULES).outcomes) > 1


@pytest.mark.parametrize(("address", "port"), [("10.96.0.1", 443), ("10.96.0.10", 53)])
def test_a_virtual_server_sends_packets_to_its_endpoints_without_a_question(address: str, port: int) -> None:
    servers = NODE.truth["families"]["IPv4"]["virtual_servers"]
    (server,) = [each for each in servers if (each["address"], each["port"]) == (address, port) and each["protocol"] == "tcp"]
    outcomes = traced(NODE, address, port).outcomes
    assert {(outcome.verdict, outcome.assumptions, outcome.delivered) for outcome in outcomes} == {("ACCEPT", (), False)}
    shares = {outcome.dnat: outcome.probability for outcome in outcomes}
    assert shares == dict.fromkeys(server["endpoints"], 1 / len(server["endpoints"]))
    assert any(step.table == "ipvs" for step in outcomes[0].path)


def test_other_ports_of_a_virtual_address_are_rejected() -> None:
    (only,) = traced(NODE, "10.96.0.1", 444).outcomes
    assert (only.verdict, only.assumptions) == ("REJECT", ())


def test_clients_outside_of_the_source_ranges_are_dropped() -> None:
    servers = NODE.truth["families"]["IPv4"]["virtual_servers"]
    ranged = next(each for each in servers if each["source_ranges"] and each.get("source_ranges_effective") is None)
    (only,) = traced(NODE, ranged["address"], ranged["port"], source="8.8.8.8").outcomes
    assert (only.verdict, only.assumptions) == ("DROP", ())
