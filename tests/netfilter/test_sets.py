"""What known sets say of a packet from 10.244.1.5:40000 to 10.96.0.10, tcp port 80."""

from __future__ import annotations

import pytest

from ipt_explain.model import Family
from ipt_explain.netfilter.header import NO_INTERFACE, parse_address, protocol_number
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.node_facts import known_sets
from ipt_explain.netfilter.packet import Connection, Heading, Node, PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Whereabouts
from ipt_explain.parsing import read_dump

POD = Whereabouts("a pod", Family.IPV4, within=((parse_address("10.244.0.0"), 0xFFFF0000),), ordinary=True)


def packet(
    protocol: str = "tcp", port: int | None = 80, source: str | Whereabouts = "10.244.1.5", **more: object
) -> tuple[PacketState, Heading]:
    start = parse_address(source) if isinstance(source, str) else source
    connection = Connection(Family.IPV4, protocol_number(protocol) or 0, start, 40000, local=False)
    state = PacketState(connection, Node(), Hook.FORWARD, start, 40000, "cni0", "eth0", mark=0x4063)
    return state._replace(**more), Heading(parse_address("10.96.0.10"), port)


def holds(declared: str, directions: str, shown: tuple[PacketState, Heading], name: str = "S") -> Truth:
    sets = known_sets(read_dump(declared).node)
    assert sets is not None
    return sets.holds(name, directions.split(","), *shown)


def one(kind: str, *elements: str) -> str:
    return "".join([f"create S {kind}\n", *(f"add S {element}\n" for element in elements)])


HELD = [
    (one("hash:ip,port", "10.96.0.10,tcp:80"), "dst,dst"),
    (one("hash:ip,port", "10.244.1.5,tcp:80"), "src,dst"),
    (one("hash:ip,port,ip", "10.96.0.10,tcp:80,10.244.1.5"), "dst,dst,src"),
    (one("hash:ip,port,net", "10.96.0.10,tcp:80,10.244.0.0/16"), "dst,dst,src"),
    (one("hash:net", "10.96.0.0/16", "10.96.0.0/24 nomatch", "10.96.0.10"), "dst"),
    (one("hash:net,iface", "0.0.0.0/0,cni0"), "src,src"),
    (one("hash:net,iface", "0.0.0.0/0,eth0"), "src,dst"),
    (one("hash:ip family inet netmask 24", "10.96.0.0"), "dst"),
    (one("hash:ip,mark family inet markmask 0x000000ff", "10.96.0.10,0x00000063"), "dst,dst"),
    (one("bitmap:port range 0-65535", "80"), "dst"),
    (one("hash:ip", "10.244.1.5") + "create L list:set size 8\nadd L S\n", "src"),
]  # fmt: skip
NOT_HELD = [
    (one("hash:ip,port", "10.96.0.10,udp:80", "10.96.0.10,tcp:81"), "dst,dst"),
    (one("hash:ip,port", "10.96.0.10,tcp:80"), "src,dst"),
    (one("hash:ip,port", "10.96.0.10,tcp:80"), "dst"),  # fewer directions than dimensions
    (one("hash:ip,port,ip", "10.96.0.10,tcp:80,10.244.1.6"), "dst,dst,src"),
    (one("hash:net", "10.96.0.0/16", "10.96.0.0/24 nomatch"), "dst"),
    (one("hash:ip family inet6", "fd00::1"), "dst"),
    (one("hash:ip", ), "dst"),
    (one("bitmap:port range 0-65535", "81"), "dst"),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "directions"), HELD)
def test_held(declared: str, directions: str) -> None:
    name = "L" if "list:set" in declared else "S"
    assert holds(declared, directions, packet(), name) is Truth.YES


@pytest.mark.parametrize(("declared", "directions"), NOT_HELD)
def test_not_held(declared: str, directions: str) -> None:
    assert holds(declared, directions, packet()) is Truth.NO


def test_ports_of_other_protocols() -> None:
    bitmap = one("bitmap:port range 0-65535", "80")
    assert holds(bitmap, "dst", packet("udp")) is Truth.YES
    assert holds(bitmap, "dst", packet("sctp")) is Truth.NO
    assert holds(one("hash:ip,port", "10.96.0.10,sctp:80"), "dst,dst", packet("sctp")) is Truth.YES
    assert holds(one("hash:ip,port", "10.96.0.10,icmp:echo-request"), "dst,dst", packet("icmp", None)) is Truth.YES
    assert holds(one("hash:ip,port", "10.96.0.10,gre:0"), "dst,dst", packet("gre", None)) is Truth.YES


def test_what_the_packet_does_not_tell_is_unknown() -> None:
    front = one("hash:ip,port", "10.96.0.10,tcp:80")
    assert holds(front, "dst,dst", packet(port=None)) is Truth.UNKNOWN
    assert holds(front, "dst,dst", packet("udp", None)) is Truth.NO
    assert holds(one("hash:net,iface", "0.0.0.0/0,cni0"), "src,src", packet(in_interface=None)) is Truth.UNKNOWN
    assert holds(one("hash:net,iface", "0.0.0.0/0,cni0"), "src,src", packet(in_interface=NO_INTERFACE)) is Truth.NO
    assert holds(one("hash:ip,mac", "10.244.1.5,01:02:03:04:05:06"), "src,src", packet()) is Truth.UNKNOWN


def test_an_address_that_is_known_in_part() -> None:
    somewhere = packet(source=POD)
    assert holds(one("hash:ip,port", "10.244.1.5,tcp:80"), "src,dst", somewhere) is Truth.NO
    assert holds(one("hash:net", "10.244.0.0/16"), "src", somewhere) is Truth.YES
    assert holds(one("hash:net", "10.244.1.0/24"), "src", somewhere) is Truth.UNKNOWN
    assert holds(one("hash:net", "10.244.0.0/16", "10.244.1.0/24 nomatch"), "src", somewhere) is Truth.UNKNOWN
    assert holds(one("hash:ip,port,net", "10.96.0.10,tcp:80,10.244.0.0/16"), "dst,dst,src", somewhere) is Truth.YES


def test_sets_that_are_not_known_or_not_whole() -> None:
    assert holds(one("hash:ip", "10.244.1.5"), "src", packet(), "T") is Truth.UNKNOWN
    assert holds("add S 10.244.1.6,tcp:80\n", "src,dst", packet()) is Truth.UNKNOWN
    assert holds("add S 10.244.1.5,tcp:80\n", "src,dst", packet()) is Truth.YES
    assert holds("create L list:set size 8\nadd L S\n", "src", packet(), "L") is Truth.UNKNOWN
