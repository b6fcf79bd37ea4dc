"""The packet given by the user, and its translation into what rules test."""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.errors import UsageError
from ipt_explain.model import Family
from ipt_explain.model.node import NOTHING_KNOWN, NodeFacts
from ipt_explain.netfilter.header import (
    ICMP,
    ICMPV6,
    NO_INTERFACE,
    WITH_PORTS,
    family_of,
    parse_address,
    protocol_number,
)
from ipt_explain.netfilter.node_facts import known_sets, own_addresses
from ipt_explain.netfilter.packet import Connection, Heading, Node
from ipt_explain.records import Record

ENTRIES = ("prerouting", "output")


class Packet(Record):
    """The first packet of a new connection.

    `protocol` is a name or number; `port` the destination port, None if the protocol has none or it is unknown.
    `entry` is "prerouting" for a packet that arrives, "output" for one that the node itself sends. `in_interface` is
    where it arrives; `physdev_in` the port of that bridge, if the node filters bridged packets (br_netfilter).
    None means that rules cannot know the value."""

    source: str
    destination: str
    protocol: str = "tcp"
    port: int | None = None
    entry: str = "prerouting"
    in_interface: str | None = None
    source_port: int | None = None
    physdev_in: str | None = None

    @property
    def family(self) -> Family:
        """The family of its addresses."""
        return family_of(self.destination)

    def heading(self) -> Heading:
        """Its destination, as rules see it. Raises UsageError if that is not an address."""
        with_ports = protocol_number(self.protocol) in WITH_PORTS
        return Heading(_address(self.destination), self.port if with_ports else None)

    def connection(self) -> Connection:
        """The packet as rules see it. Raises UsageError if it is impossible."""
        family = self.family
        if family_of(self.source) is not family:
            raise UsageError(f"{self.source} and {self.destination} are of different address families")
        protocol = protocol_number(self.protocol)
        if protocol is None or not 0 < protocol < 256:
            raise UsageError(f"{self.protocol} is not a protocol: use tcp, udp, sctp, icmp or a number from 1 to 255")
        if protocol == ICMP and family is Family.IPV6:
            protocol = ICMPV6
        if self.entry not in ENTRIES:
            raise UsageError(f"entry {self.entry!r} is neither prerouting (arriving) nor output (from the node itself)")
        for port in (self.port, self.source_port):
            if port is not None and not 0 <= port <= 65535:
                raise UsageError(f"{port} is not a port (0 to 65535)")
        with_ports = protocol in WITH_PORTS
        return Connection(
            family=family,
            protocol=protocol,
            source=_address(self.source),
            source_port=self.source_port if with_ports else None,
            local=self.entry == "output",
            in_interface=self.in_interface,
            bridge_port=self.physdev_in or NO_INTERFACE,
            icmp_type=8 if family is Family.IPV4 else 128,
        )


def node_around(
    family: Family,
    local_addresses: Iterable[str],
    out_interface: str | None,
    assume: Iterable[str],
    facts: NodeFacts = NOTHING_KNOWN,
) -> Node:
    """The node, by what the user and the dump say. An address may name its interface, as in `192.0.2.10@eth0`. The
    node has no addresses besides the user's and the dump's. Raises UsageError for invalid addresses and assumptions."""
    own = own_addresses(facts, family)
    unbound: frozenset[int] = frozenset()
    if facts.addresses is not None:
        from ipt_explain.analyzers.ipvs.node import unbound_addresses

        unbound = unbound_addresses(facts, family)
    addresses: set[int] = set()
    first: dict[str, int] = {}
    for text in local_addresses:
        host, _, interface = text.partition("@")
        address = _address(host)
        if family_of(host) is family:
            addresses.add(address)
            if interface:
                first.setdefault(interface, address)
    return Node(
        (own.addresses - unbound) | addresses,
        out_interface,
        tuple(map(_assumption, assume)),
        tuple({**dict(own.first), **first}.items()),
        foreign_addresses=unbound - addresses,
        more_addresses=own.more and not addresses,
        sets=known_sets(facts),
        all_interfaces=not own.more,
    )


def _assumption(text: str) -> tuple[str, bool]:
    question, _, answer = text.rpartition("=")
    if not question or answer not in ("yes", "no"):
        raise UsageError(f"cannot assume {text!r}: use TEXT=yes or TEXT=no, with TEXT from the match in question")
    return question, answer == "yes"


def _address(text: str) -> int:
    try:
        return parse_address(text)
    except ValueError:
        raise UsageError(f"{text} is not an IP address") from None
