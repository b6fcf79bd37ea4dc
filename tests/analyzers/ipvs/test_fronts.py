"""What the sets say of virtual servers, against the API objects that kube-proxy made them of."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from ipt_explain.analyzers.ipvs.fronts import Front
from ipt_explain.analyzers.ipvs.node import IpvsNode as Facts
from ipt_explain.analyzers.ipvs.node import ipvs_node, serves_ipvs
from ipt_explain.analyzers.ipvs.set_names import SetRole, set_name
from ipt_explain.model import Family
from ipt_explain.model.node.joining import with_shared_facts
from ipt_explain.parsing import read_dump
from ipt_explain.words import address_port
from tests.ipvs_corpus import LISTED, SAVED, IpvsNode, ipvs_nodes

FAMILIES = {"IPv4": Family.IPV4, "IPv6": Family.IPV6}
KINDS = {
    "clusterIP": "cluster-ip",
    "externalIP": "external-ip",
    "loadBalancer": "load-balancer",
    "nodePort": "node-port",
}
CASES = [(node, family) for node in ipvs_nodes() for family in node.truth["families"]]
each_family = pytest.mark.parametrize(("node", "family"), CASES, ids=[f"{node.id}-{family}" for node, family in CASES])


def facts_of(node: IpvsNode, family: str) -> Facts:
    return ipvs_node(read_dump(node.text(LISTED)).node, FAMILIES[family])


def expected(node: IpvsNode, family: str) -> list[dict[str, Any]]:
    servers: list[dict[str, Any]] = node.truth["families"][family]["virtual_servers"]
    return servers


def find(found: Facts, server: dict[str, Any]) -> Front:
    address = None if server["kind"] == "nodePort" else server["address"]
    (front,) = (
        each
        for each in found.fronts
        if (each.protocol, each.address, each.port) == (server["protocol"], address, server["port"])
        and KINDS[server["kind"]] in [kind.value for kind in each.kinds]
    )
    return front


@each_family
def test_every_server_has_the_kind_that_the_objects_gave_it(node: IpvsNode, family: str) -> None:
    found = facts_of(node, family)
    wanted = {
        (server["kind"] == "nodePort" or server["address"], server["port"], server["protocol"])
        for server in expected(node, family)
    }
    shown = {(front.address or True, front.port, front.protocol) for front in found.fronts}
    assert shown == wanted
    for server in expected(node, family):
        front = find(found, server)
        assert front.kinds_known and front.servers and front.entries


@each_family
def test_policies_and_source_ranges(node: IpvsNode, family: str) -> None:
    found = facts_of(node, family)
    if node.id.endswith("/conflict"):
        return
    for server in expected(node, family):
        front = find(found, server)
        if server["kind"] == "clusterIP":
            assert front.external_policy is None
            continue
        assert front.external_policy is not None and front.external_policy.value == server["policy"]
        if server["kind"] == "loadBalancer":
            wanted = server.get("source_ranges_effective", server["source_ranges"])
            ranges = front.source_ranges
            assert (ranges is not None) == bool(server["source_ranges"])
            if ranges is not None:
                shown = ipaddress.collapse_addresses(map(ipaddress.ip_network, ranges.networks))
                assert list(shown) == list(ipaddress.collapse_addresses(map(ipaddress.ip_network, wanted)))


@each_family
def test_a_node_port_is_one_front_on_all_addresses(node: IpvsNode, family: str) -> None:
    for front in facts_of(node, family).fronts:
        if [kind.value for kind in front.kinds] == ["node-port"]:
            reached = {
                tuple(sorted(address_port(real.address, real.port) for real in server.real_servers))
                for server in front.servers
            }
            assert len(reached) == 1


@each_family
def test_local_endpoints_are_those_that_masquerade_to_themselves(node: IpvsNode, family: str) -> None:
    found = facts_of(node, family)
    assert found.local_endpoints is not None
    truth = node.truth["families"][family]
    shown = {f"{address_port(address or '', port)}/{protocol}" for protocol, address, port in found.local_endpoints}
    assert shown == set(truth["hairpin"])
    assert found.bound == found.meant_to_be_bound


def test_names_of_sets() -> None:
    assert set_name(SetRole.SOURCE_RANGES, Family.IPV6) == "KUBE-6-LOAD-BALANCER-SOURCE-CID"
    assert set_name(SetRole.NODE_PORT_LOCAL_SCTP, Family.IPV6) == "KUBE-6-NODE-PORT-LOCAL-SCTP-HAS"
    known = {set_name(role, family) for role in SetRole for family in Family}
    for node in ipvs_nodes():
        assert known.issuperset(read_dump(node.files["ipset-save"]).node.sets)


def test_what_was_not_given_is_not_known() -> None:
    servers = "-A -t 10.96.0.1:443 -s rr\n-a -t 10.96.0.1:443 -r 192.168.50.10:6443 -m -w 1\n"
    found = ipvs_node(read_dump(servers).node, Family.IPV4)
    (front,) = found.fronts
    assert (front.kinds, front.kinds_known, front.external_policy) == ((), False, None)
    assert found.local_endpoints is found.bound is found.meant_to_be_bound is None
    assert found.is_local("tcp", "192.168.50.10", 6443) is None
    assert serves_ipvs(read_dump(servers).node) is True
    assert serves_ipvs(read_dump("*nat\nCOMMIT\n").node) is None


def test_an_entry_without_a_server_is_a_front_all_the_same() -> None:
    sets = "create KUBE-CLUSTER-IP hash:ip,port\nadd KUBE-CLUSTER-IP 10.96.0.1,tcp:443\nTCP  10.96.0.2:80 rr\n"
    fronts = ipvs_node(read_dump(sets).node, Family.IPV4).fronts
    assert [(front.address, len(front.servers), [kind.value for kind in front.kinds]) for front in fronts] == [
        ("10.96.0.2", 1, []),
        ("10.96.0.1", 0, ["cluster-ip"]),
    ]


def test_outputs_of_one_node_as_several_dumps() -> None:
    node = next(each for each in ipvs_nodes() if each.id.endswith("/dual-stack"))
    dumps = [read_dump(node.files[name], source=f"a/{name}") for name in SAVED]
    shared = with_shared_facts(dumps)
    assert len({id(dump.node) for dump in shared}) == 1
    whole = read_dump(node.text(SAVED)).node
    for family in Family:
        one, other = ipvs_node(shared[0].node, family), ipvs_node(whole, family)
        assert [(each.address, each.port, each.kinds) for each in one.fronts] == [
            (each.address, each.port, each.kinds) for each in other.fronts
        ]
        assert one.local_endpoints == other.local_endpoints


def test_outputs_of_two_nodes_are_told_by_their_folders() -> None:
    nodes = [each for each in ipvs_nodes() if each.id.endswith(("/basic", "/drain"))]
    dumps = [read_dump(node.files[name], source=f"{node.id}/{name}") for node in nodes for name in SAVED]
    shared = with_shared_facts(dumps)
    assert len({id(dump.node) for dump in shared}) == 2
    alone = [read_dump(node.files[name], source=f"{name}-{node.id[-5:]}") for node in nodes for name in SAVED]
    assert [dump.node for dump in with_shared_facts(alone)] == [dump.node for dump in alone]
