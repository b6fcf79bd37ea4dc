"""Corners of the kernel that rulesets made by chance seldom meet: each with a packet that goes there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import ipt_explain
from ipt_explain.netfilter.walk.routing import ROUTE_LOCALNET
from tests.kernel.judge import disagreement, foretell
from tests.kernel.laboratory import NODE, Laboratory, Shot
from tests.kernel.namespaces import missing
from tests.trace.helpers import save_text

_WHY_NOT = missing()
pytestmark = pytest.mark.skipif(_WHY_NOT is not None, reason=f"no kernel to ask: {_WHY_NOT}")

_NODE = NODE[False]
_ROUTER = "10.0.0.9"


@dataclass(frozen=True)
class Corner:
    """Rules, a packet to this destination from outside (or from the node, by its source), and what it takes."""

    rules: str
    to: str = _ROUTER
    source: str = ""
    route_localnet: bool = True
    assume: tuple[str, ...] = ()
    masquerade_shows: bool = True


_TO_LOOPBACK = "nat -A PREROUTING -p udp -j DNAT --to-destination 127.0.0.1:81"
_FROM_LOOPBACK = """
    nat -A OUTPUT -p udp -j DNAT --to-destination 10.0.0.9:81
    nat -A POSTROUTING -p udp -j MASQUERADE
"""
_OVER_LO = "nat -A POSTROUTING -o lo -j MASQUERADE\nfilter -A INPUT -p udp -s {} -j REJECT"
_SAME_SOURCE = (
    "nat -A POSTROUTING -j SNAT --to-source {0}\nfilter -A INPUT -p udp -m conntrack --ctstate SNAT -j REJECT"
)
_TEMPLATE = """
    raw -A PREROUTING -p udp -j CT --zone {zone}
    raw -A PREROUTING -p udp -j NOTRACK
    raw -A PREROUTING -p udp -m conntrack --ctstate NEW -j MARK --set-xmark 0x1/0x1
    nat -A PREROUTING -p udp -m mark --mark 0x1 -j DNAT --to-destination 10.0.0.1-10.0.0.200
"""

CORNERS = {
    "DNAT to loopback": Corner(_TO_LOOPBACK, _NODE),
    "DNAT to loopback without route_localnet": Corner(_TO_LOOPBACK, _NODE, route_localnet=False),
    "to loopback itself without route_localnet": Corner("filter -A INPUT -j ACCEPT", "127.0.0.1", route_localnet=False),
    "loopback to elsewhere": Corner(_FROM_LOOPBACK, "127.0.0.1", "127.0.0.1"),
    "loopback to elsewhere without route_localnet": Corner(_FROM_LOOPBACK, "127.0.0.1", "127.0.0.1", False),
    "loopback to the node without route_localnet": Corner(
        f"nat -A OUTPUT -p udp -j DNAT --to-destination {_NODE}:81", "127.0.0.1", "127.0.0.1", False
    ),
    "masqueraded over lo": Corner(_OVER_LO.format("127.0.0.0/8"), "127.0.0.1", "127.0.0.1"),
    "masqueraded over lo, seen so": Corner(_OVER_LO.format(_NODE), "127.0.0.1", "127.0.0.1"),
    "SNAT to the same address": Corner(_SAME_SOURCE.format(_NODE), _NODE, _NODE, masquerade_shows=False),
    "SNAT to another address": Corner(_SAME_SOURCE.format("192.0.2.99"), _NODE, _NODE),
    "masquerading, which changes nothing": Corner(
        "nat -A POSTROUTING -j MASQUERADE\nfilter -A INPUT -p udp -m conntrack --ctstate SNAT -j REJECT",
        _NODE, _NODE, masquerade_shows=False,
    ),
    "masquerading from any port": Corner(
        "nat -A POSTROUTING -j MASQUERADE --random-fully\n"
        "filter -A INPUT -p udp -m conntrack --ctstate SNAT -j REJECT",
        _NODE, _NODE,
    ),
    "REDIRECT on an interface without address": Corner("nat -A PREROUTING -p udp -j REDIRECT --to-ports 81", _NODE),
    "the node's address, on another interface": Corner(
        "mangle -A PREROUTING -p udp -m addrtype ! --dst-type LOCAL --limit-iface-in -j DROP", _NODE
    ),
    "the node's address, which is unicast on another interface": Corner(
        "mangle -A PREROUTING -p udp -m addrtype --dst-type UNICAST --limit-iface-in -j DROP", _NODE
    ),
    "multicast": Corner("filter -A FORWARD -j ACCEPT", "224.0.0.251", assume=("joined 224.0.0.251=no",)),
    "broadcast": Corner("filter -A FORWARD -j DROP", "255.255.255.255"),
    "a hop is taken ahead of FORWARD": Corner(
        "mangle -A PREROUTING -j TTL --ttl-set 10\nfilter -A FORWARD -p udp -m ttl --ttl-eq 9 -j REJECT"
    ),
    "no hop is left": Corner("mangle -A PREROUTING -p udp -j TTL --ttl-set 1"),
    "TTL is compared": Corner(
        "mangle -A PREROUTING -j TTL --ttl-set 10\nmangle -A FORWARD -j TTL --ttl-inc 5\n"
        "filter -A FORWARD -p udp -m ttl --ttl-lt 14 -j DROP\nfilter -A FORWARD -p udp -m ttl --ttl-gt 13 -j REJECT"
    ),
    "TOS and DSCP": Corner(
        "mangle -A PREROUTING -j DSCP --set-dscp 0x2e\nmangle -A FORWARD -j TOS --set-tos 0x04/0x0c\n"
        "filter -A FORWARD -p udp -m dscp --dscp 0x2e -j DROP\nfilter -A FORWARD -p udp -m tos --tos 0xb4/0xfc -j REJECT"
    ),
    "XOR outside the mask": Corner(
        "mangle -A PREROUTING -j TOS --set-tos 0x00/0xff\nmangle -A FORWARD -j TOS --set-tos 0x18/0x10\n"
        "filter -A FORWARD -p udp -m tos ! --tos 0x18/0xff -j DROP"
    ),
    "a template comes before NOTRACK": Corner(_TEMPLATE.format(zone=0)),
    "a zone has its say in a range": Corner(_TEMPLATE.format(zone=7)),
    "a zone of the mark": Corner(_TEMPLATE.format(zone="mark").replace("0x1/0x1", "0x9/0xff").replace("0x1 ", "0x9 ")),
}  # fmt: skip


@pytest.fixture(scope="module", params=["nft", "legacy"])
def laboratory(request: pytest.FixtureRequest) -> Iterator[Laboratory]:
    with Laboratory(request.param) as made:
        yield made


@pytest.mark.parametrize("name", CORNERS)
def test_the_kernel_and_traces_agree(laboratory: Laboratory, name: str) -> None:
    corner = CORNERS[name]
    laboratory.route_localnet(corner.route_localnet)
    everything = "\n".join(f"{table} -A {hook} -p icmp -j ACCEPT" for table, hook in _ALL)
    assert not laboratory.load(save_text("\n".join([everything, *map(str.strip, corner.rules.strip().splitlines())])))
    dump = ipt_explain.parse(laboratory.saved() + laboratory.addresses())
    origin = "host" if corner.source else "external"
    assume = (*corner.assume, f"{ROUTE_LOCALNET}={'yes' if corner.route_localnet else 'no'}")
    shots = [Shot(origin, corner.source or f"198.51.100.{last}", corner.to, "udp", 80) for last in range(7, 12)]
    for shot, observed in zip(shots, laboratory.fire(shots)):
        told = foretell(dump, shot, laboratory, assume)
        assert not disagreement(told, Counter([observed]), corner.masquerade_shows)


_ALL = (("raw", "PREROUTING"), ("mangle", "FORWARD"), ("nat", "PREROUTING"), ("filter", "INPUT"))
