"""Captured nodes of IPVS mode, in whatever form and order their outputs come."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from ipt_explain.model import Dump
from ipt_explain.parsing import read_dump
from tests.ipvs_corpus import LISTED, SAVED, IpvsNode, ipvs_nodes

NODES = ipvs_nodes()
PUBLIC_FIELDS = ("family", "protocol", "address", "port", "fwmark", "scheduler", "persistence")
each_node = pytest.mark.parametrize("node", NODES, ids=[node.id for node in NODES])


def servers(dump: Dump) -> dict[tuple[str, int, str], tuple[object, ...]]:
    """What is known of each virtual server, whichever tool told it."""
    assert dump.node.virtual_servers is not None
    return {
        (str(server.address), server.port or 0, str(server.protocol)): (
            *(getattr(server, name) for name in PUBLIC_FIELDS),
            [(real.address, real.port, real.forwarding, real.weight) for real in server.real_servers],
        )
        for server in dump.node.virtual_servers.servers
    }


def sets(dump: Dump) -> dict[str, tuple[object, ...]]:
    """What is known of each set; its elements come in random order."""
    return {
        name: (
            found.set.type,
            found.set.family,
            found.set.complete,
            sorted(repr(each.parts) for each in found.set.elements),
        )
        for name, found in dump.node.sets.items()
    }


def families(node: IpvsNode) -> Iterator[dict[str, object]]:
    for family in node.truth["families"].values():
        yield from family["virtual_servers"]


@each_node
def test_saved_and_listed_sets_are_equal(node: IpvsNode) -> None:
    saved, listed = read_dump(node.text(SAVED)), read_dump(node.text(LISTED))
    assert sets(saved) == sets(listed)
    if node.files["ipvsadm-save"]:
        assert servers(saved) == servers(listed)


@each_node
def test_the_order_of_the_outputs_does_not_matter(node: IpvsNode) -> None:
    shuffled = list(SAVED)
    random.Random(node.id).shuffle(shuffled)
    one, other = read_dump(node.text(SAVED)), read_dump(node.text(tuple(shuffled)))
    assert sets(one) == sets(other)
    assert one.node.virtual_servers is None or servers(one) == servers(other)
    assert one.node.addresses is not None and other.node.addresses is not None
    assert {(each.interface, each.address) for each in one.node.addresses.addresses} == {
        (each.interface, each.address) for each in other.node.addresses.addresses
    }


@each_node
def test_rules_are_read_the_same_without_the_other_outputs(node: IpvsNode) -> None:
    rules = node.text(("iptables-save", "ip6tables-save"))
    assert read_dump(node.text(LISTED)).to_text() == read_dump(rules).to_text()
    assert read_dump(node.text(LISTED)).warnings == ()


@each_node
def test_virtual_servers_are_those_of_the_objects(node: IpvsNode) -> None:
    found = servers(read_dump(node.text(LISTED)))
    for expected in families(node):
        if expected["address"] == "NODE" or node.id.endswith("/conflict"):  # there two Services claim one address
            continue
        key = (str(expected["address"]), int(str(expected["port"])), str(expected["protocol"]))
        *_, persistence, real_servers = found[key]
        assert getattr(persistence, "seconds", None) == expected["persistent_seconds"]
        if expected["verdict"] == "dnat":
            serving = [(host, port) for host, port, _, weight in real_servers if weight]
            assert sorted(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in serving) == sorted(
                expected["endpoints"]
            )


@each_node
def test_lines_are_those_of_the_text(node: IpvsNode) -> None:
    text = node.text(LISTED)
    lines = text.split("\n")
    dump = read_dump(text)
    assert dump.node.virtual_servers is not None and dump.node.addresses is not None
    for server in dump.node.virtual_servers.servers:
        assert str(server.address) in lines[server.line - 1]
        assert all(real.address in lines[real.line - 1] for real in server.real_servers)
    for found in dump.node.sets.values():
        assert lines[found.set.line - 1] == f"Name: {found.set.name}"
        assert all(
            str(getattr(each.parts[0], "port", each.parts[0])) in lines[each.line - 1] for each in found.set.elements
        )
    assert all(f"{each.address}/" in lines[each.line - 1] for each in dump.node.addresses.addresses)
