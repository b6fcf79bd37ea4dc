"""Virtual servers as service ports, against what the cluster's objects say."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import ipt_explain
from tests.cli.program import run
from tests.ipvs_corpus import IpvsNode, ipvs_nodes

ALL = ("ip-addr-kube-ipvs0", "ipvsadm-save", "ipset-save", "iptables-save")
KINDS = {
    "clusterIP": "cluster-ip",
    "externalIP": "external-ip",
    "loadBalancer": "load-balancer",
    "nodePort": "node-port",
}


@pytest.mark.parametrize("node", ipvs_nodes()[::3], ids=lambda each: each.id)
def test_virtual_servers_are_as_the_objects_say(node: IpvsNode) -> None:
    document = json.loads(ipt_explain.explain(ipt_explain.parse(node.text(ALL))).to_json())
    found = {
        (frontend["kind"], frontend["address"] or "NODE", frontend["port"], service["protocol"]): (service, frontend)
        for service in document["services"]
        if service["family"] == "ipv4"
        for frontend in service["frontends"]
    }
    for truth in node.truth["families"].get("IPv4", {"virtual_servers": ()})["virtual_servers"]:
        service, frontend = found[KINDS[truth["kind"]], truth["address"], truth["port"], truth["protocol"]]
        assert service["name"] is None
        if truth["verdict"] == "dnat":
            (balancer,) = service["balancers"]
            reached = [each["endpoint"] for each in balancer["endpoints"] if each["probability"] != 0]
            assert sorted(reached) == sorted(truth["endpoints"])
            assert all(fate["served"] != 0 for fate in frontend["fates"].values()) or truth["source_ranges"]
        else:
            assert frontend["verdict"] != "balance"


NO_SERVERS = "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n"


def test_servers_that_are_not_shown_are_not_known_and_none_is_a_loss() -> None:
    node = next(each for each in ipvs_nodes() if each.id.endswith("/basic"))
    rules = node.text(("ipset-save", "iptables-save"))
    told = {}
    for name, text in (("not shown", rules), ("none", NO_SERVERS + rules)):
        dump = ipt_explain.parse(text)
        services = json.loads(ipt_explain.explain(dump).to_json())["services"]
        found = {finding.rule for finding in ipt_explain.audit(dump)}
        told[name] = {(each["state"], *(at["verdict"] for at in each["frontends"])) for each in services}, found
    assert told == {
        "not shown": ({("unknown", "unknown")}, set()),
        "none": ({("unmatched", "unmatched")}, {"IPT911"}),
    }


def test_a_node_that_has_left_the_mode_has_no_services_of_it() -> None:
    node = next(each for each in ipvs_nodes() if each.id.endswith("/basic"))
    left = "*nat\n:KUBE-SERVICES - [0:0]\n:KUBE-SVC-ERIFXISQEP7F7OF4 - [0:0]\nCOMMIT\n"
    dump = ipt_explain.parse(NO_SERVERS + node.text(("ipset-save",)) + left)
    assert [each.backend for each in ipt_explain.explain(dump).services] == [None]


_SETS = """Name: KUBE-CLUSTER-IP
Type: hash:ip,port
Header: family inet hashsize 1024 maxelem 65536
Size in memory: 640
References: 2
Number of entries: 1
Members:
10.96.0.10,udp:53
"""
_SERVERS = """IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
UDP  10.96.0.10:53 rr
  -> 10.244.0.2:53                Masq    1      0          0
"""


def test_sets_alone_lose_no_connection() -> None:
    (service,) = json.loads(ipt_explain.explain(ipt_explain.parse(_SETS)).to_json())["services"]
    assert service["state"] == "unknown"
    assert {fate["served"] for fate in service["frontends"][0]["fates"].values()} == {None}


def test_servers_alone_tell_neither_kinds_nor_masquerading() -> None:
    (service,) = json.loads(ipt_explain.explain(ipt_explain.parse(_SERVERS)).to_json())["services"]
    assert service["masquerade"] == {"hairpin": None, "all": None, "off_cluster": None}
    assert {fate["masqueraded"] for fate in service["frontends"][0]["fates"].values()} == {None}
    told = run("explain", "-", stdin=_SERVERS).out
    assert "kind unknown: no ipset shows it" in told
    assert "never" not in told


def _fates(text: str) -> dict[tuple[str, str | None, int], dict[str, Any]]:
    document = json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json())
    return {
        (frontend["kind"], frontend["address"], frontend["port"]): frontend["fates"]
        for service in document["services"]
        for frontend in service["frontends"]
    }


def test_rules_about_other_virtual_servers_do_not_make_the_nodes_own_connections_uncertain() -> None:
    node = next(each for each in ipvs_nodes() if each.id.endswith("/loadbalancer"))
    assert "-m ipvs --vproto 6 --vaddr 203.0.113.8 --vport 80 -j DROP" in node.text()
    fates = _fates(node.text())
    assert fates["cluster-ip", "10.96.0.17", 80]["node"]["served"] == 1
    unknown = {address for (_, address, _), each in fates.items() if each["node"]["served"] is None}
    assert unknown == {"203.0.113.4", "203.0.113.13", "203.0.113.14"}


def test_the_nodes_address_of_a_node_port_is_none_of_the_virtual_ones() -> None:
    node = next(each for each in ipvs_nodes() if each.id.endswith("/nodeport"))
    fates = _fates(node.text())
    assert fates["node-port", None, 30001]["outside"]["served"] == 1
    assert all(fate["served"] is not None for each in fates.values() for fate in each.values())


def test_an_address_that_is_not_bound_is_forwarded_to() -> None:
    node = next(each for each in ipvs_nodes() if each.id.endswith("/loadbalancer"))
    text = re.sub(r".* 10\.96\.0\.17/32 .*\n.*\n", "", node.text())
    fates = _fates(text)["cluster-ip", "10.96.0.17", 80]
    assert [fates[vantage]["served"] for vantage in ("pod", "node", "outside")] == [0, 1, 0]
    packet = ipt_explain.Packet(source="10.244.1.99", destination="10.96.0.17", port=80)
    assert [outcome.dnat for outcome in ipt_explain.trace(ipt_explain.parse(text), packet).outcomes] == [None]
    told = [each for each in ipt_explain.audit(ipt_explain.parse(text)) if "10.96.0.17" in each.message]
    assert [each.rule for each in told] == ["IPT913"]


def test_direct_routing_leaves_it_to_the_real_server() -> None:
    node = next(each for each in ipvs_nodes() if each.id.endswith("/loadbalancer"))
    text = node.text().replace("-r 10.244.2.3:8080 -m -w 1", "-r 10.244.2.3:8080 -g -w 1")
    for fate in _fates(text)["cluster-ip", "10.96.0.17", 80].values():
        assert fate["served"] == 0.5
        assert [(lost["how"], lost["probability"]) for lost in fate["lost"]] == [("unknown", 0.5)]
        assert "direct routing or a tunnel brings it unchanged" in fate["lost"][0]["why"]
    packet = ipt_explain.Packet(source="10.244.1.99", destination="10.96.0.17", port=80)
    outcomes = ipt_explain.trace(ipt_explain.parse(text), packet).outcomes
    assert {(each.verdict, each.dnat) for each in outcomes} == {("ACCEPT", "10.244.3.2:8080"), ("UNKNOWN", None)}
