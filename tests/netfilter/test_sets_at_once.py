"""Sets looked up for many packets at once say of each what they say of it alone, element by element."""

from __future__ import annotations

import pytest

from ipt_explain.model import Family
from ipt_explain.netfilter.header import TCP, UDP, network_bits, parse_address
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.ipsets.exact import ExactElements
from ipt_explain.netfilter.ipsets.known import KnownSets
from ipt_explain.netfilter.packet import Connection, Heading, Node, PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Address, Whereabouts
from ipt_explain.parsing import read_dump

TEXT = """
create pairs hash:ip,port family inet
add pairs 10.0.0.1,tcp:80
add pairs 10.0.0.2,udp:80
create hosts hash:ip family inet
add hosts 10.0.0.1
create masked hash:ip family inet netmask 24
add masked 10.0.0.0
create loop hash:ip,port,ip family inet
add loop 10.0.0.1,tcp:80,10.0.0.1
add loop 10.0.0.2,tcp:80,10.0.0.9
create ranges hash:ip,port,net family inet
add ranges 10.0.0.1,tcp:80,10.0.0.0/8
add ranges 10.0.0.1,tcp:80,10.0.0.9 nomatch
add ranges 10.0.0.2,tcp:80,10.0.0.9
create whole hash:ip,port,net family inet
add whole 10.0.0.2,tcp:80,10.0.0.9
create twice hash:ip,ip family inet
add twice 10.0.0.1,10.0.0.1
create ports bitmap:port range 0-65535
add ports 80
create all list:set
add all hosts
create six hash:ip family inet6
add six fd00::1
create nothing hash:ip,port family inet

Name: cut
Type: hash:ip,port
Header: family inet
Number of entries: 9
Members:
10.0.0.1,tcp:80
"""
PLACES = [
    Heading(parse_address("10.0.0.1"), 80),
    Heading(parse_address("10.0.0.2"), 80),
    Heading(parse_address("10.0.0.1"), 81),
    Heading(parse_address("10.0.0.3"), 80),
    Heading(parse_address("10.0.0.1"), None),
    Heading(Whereabouts("some address", Family.IPV4, within=(network_bits("10.0.0.0/30"),)), 80),
    Heading(None, 80),
]
SOURCES = [
    parse_address("10.0.0.9"),
    parse_address("10.0.0.1"),
    Whereabouts("a pod", Family.IPV4, ordinary=True),
    Whereabouts("a node", Family.IPV4, apart=frozenset({parse_address("10.0.0.1")})),
]
DIRECTIONS = ["dst", "dst,dst", "dst,dst,src", "src,src", "src,dst", "dst,src", "src,dst,dst"]


def state(source: Address, protocol: int) -> PacketState:
    connection = Connection(Family.IPV4, protocol, source, None, local=False)
    return PacketState(connection, Node(), Hook.PREROUTING, source, None, None)


@pytest.mark.parametrize("protocol", [TCP, UDP])
@pytest.mark.parametrize("source", SOURCES, ids=str)
@pytest.mark.parametrize("directions", DIRECTIONS)
def test_all_sets(directions: str, source: Address, protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {name: each.set for name, each in read_dump(TEXT).node.sets.items()}
    assert len(found) == 12
    asked, words = state(source, protocol), directions.split(",")
    at_once = {name: KnownSets(found).hold_each(name, words, asked, PLACES) for name in [*found, "missing"]}
    alone = {name: [KnownSets(found).holds(name, words, asked, to) for to in PLACES] for name in at_once}
    monkeypatch.setattr(ExactElements, "of", lambda found: None)
    one_by_one = {name: [KnownSets(found).holds(name, words, asked, to) for to in PLACES] for name in at_once}
    assert at_once == alone == one_by_one


def test_they_tell_what_is_unknown() -> None:
    found = {name: each.set for name, each in read_dump(TEXT).node.sets.items()}
    sets, pod = KnownSets(found), state(SOURCES[3], TCP)
    assert sets.hold_each("loop", ("dst", "dst", "src"), pod, PLACES[:2]) == [Truth.NO, Truth.UNKNOWN]
    assert sets.hold_each("cut", ("dst", "dst"), pod, PLACES[:3]) == [Truth.YES, Truth.UNKNOWN, Truth.UNKNOWN]
