"""DNAT, REDIRECT, NETMAP, SNAT, MASQUERADE: what becomes of destination and source."""

from __future__ import annotations

from fractions import Fraction

from ipt_explain.model import Family, Rule
from ipt_explain.netfilter.header.addresses import (
    BITS,
    Endpoint,
    format_address,
    format_endpoint,
    parse_nat_destination,
    parse_network,
)
from ipt_explain.netfilter.hooks import DESTINATION_NAT, Hook
from ipt_explain.netfilter.nat.choice import chosen_address, chosen_ports
from ipt_explain.netfilter.packet import Heading, PacketState, is_loopback
from ipt_explain.netfilter.whereabouts import Address, Whereabouts, address_text

MOST_PORTS = 64
"""Ranges of random ports up to this long become one outcome a port; longer ones stay together."""

_ONE = Fraction(1)
_LOOPBACK = {Family.IPV4: 0x7F000001, Family.IPV6: 1}


Choices = list[tuple[Fraction, Heading]]
"""Where NAT sends packets, with the share of each."""


def rewrites_destination(state: PacketState) -> bool:
    """Whether nat, in the current hook, is about the destination."""
    return state.hook in DESTINATION_NAT


def dnat(rule: Rule, state: PacketState, to: Heading) -> Choices:
    """DNAT's choice. Raises ValueError for an unreadable `--to-destination`."""
    wanted = parse_nat_destination(rule.target_value("--to-destination") or "")
    address = to.address
    if wanted.first is not None and wanted.last is not None:
        _of_family(max(wanted.first, wanted.last), state)
        address = _chosen(wanted.first, wanted.last, state, to, _flag(rule, "--persistent"))
    return _with_ports(address, wanted, to.port, _flag(rule, "--random"))


def _chosen(first: int, last: int, state: PacketState, to: Heading, persistent: bool) -> Address:
    """The address of a range that the kernel gives the packet, as far as source and destination are known."""
    family, source, destination = state.connection.family, state.source, to.address
    if first == last:
        return first
    if isinstance(source, int) and isinstance(destination, int):
        return chosen_address(first, last, source, destination, persistent, family)
    return Whereabouts(f"{format_address(first, family)}-{format_address(last, family)}", family)


def redirect(rule: Rule, state: PacketState, to: Heading) -> Choices:
    """REDIRECT's: loopback for what the node sends, else the first address of the interface that the packet came by.

    The dump does not tell that address: it is the one that the user gives for the interface, or the only one given,
    else None.
    """
    address: Address | None = _LOOPBACK[state.connection.family]
    if state.hook is not Hook.OUTPUT:
        candidates = [one for one in state.node.local_addresses if not is_loopback(one, state.connection.family)]
        address = dict(state.node.first_addresses).get(state.in_interface or "")
        if address is None and len(candidates) == 1:
            address = candidates[0]
    text = rule.target_value("--to-ports")
    wanted = parse_nat_destination(f":{text}") if text else Endpoint(None, None)
    return _with_ports(address, wanted, to.port, _flag(rule, "--random"))


def netmap(rule: Rule, state: PacketState, to: Heading) -> Choices:
    """NETMAP's: the network's bits are replaced, the host's kept."""
    return [(_ONE, Heading(None if to.address is None else _mapped(rule, to.address, state), to.port))]


def sent_to(state: PacketState, before: Heading, after: Heading) -> PacketState:
    """The packet whose destination NAT has decided. One that stays as it was has not been DNATed, as the kernel has
    it."""
    changed = after.address is None or (after.address, after.port) != (before.address, before.port)
    return state._replace(destination_decided=True, dnat=changed)


def sent_from(rule: Rule, state: PacketState) -> PacketState:
    """The packet with its source rewritten, be it to the one that it has; its port may be, too."""
    return state._replace(source=new_source(rule, state), source_port=None, source_decided=True, snat=True)


def new_source(rule: Rule, state: PacketState) -> Address:
    """The source that SNAT, MASQUERADE or NETMAP gives: SNAT's first address of a range, as nothing later depends on
    which; for MASQUERADE the node's, the packet's own where that is unknown."""
    if rule.target == "NETMAP":
        return _mapped(rule, state.source, state)
    if rule.target == "SNAT":
        first = parse_nat_destination(rule.target_value("--to-source") or "").first
        return state.source if first is None else _of_family(first, state)
    return state.source


def destination_text(to: Heading, family: Family) -> str:
    """`10.244.1.5:8080`, `[fd00::1]:80`; `local:15001` where REDIRECT chose the interface's own address."""
    port = to.ports or to.port
    if to.address is None:
        return "local" if port is None else f"local:{port}"
    if isinstance(to.address, int):
        return format_endpoint(to.address, port, family)
    text = address_text(to.address, family)
    return text if port is None else f"{text}:{port}"


def _with_ports(address: Address | None, wanted: Endpoint, port: int | None, randomly: bool) -> Choices:
    ports = chosen_ports(wanted, port, randomly)
    if ports is None:
        return [(_ONE, Heading(address, port))]
    first, last = ports
    count = last - first + 1
    if count > MOST_PORTS:
        return [(_ONE, Heading(address, None, f"{first}-{last}"))]
    return [(Fraction(1, count), Heading(address, number)) for number in range(first, last + 1)]


def _mapped(rule: Rule, address: Address, state: PacketState) -> Address:
    network = parse_network(rule.target_value("--to") or "")
    if not isinstance(address, int):
        return address  # its host bits are as little known as before
    return _of_family(network.value | (address & ~network.mask), state)


def _of_family(address: int, state: PacketState) -> int:
    if address >> BITS[state.connection.family]:
        raise ValueError("a rule gives an IPv4 packet an IPv6 address")
    return address


def _flag(rule: Rule, name: str) -> bool:
    return rule.shape.target_option(name) is not None
