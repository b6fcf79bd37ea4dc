"""DNAT, REDIRECT, NETMAP, SNAT, MASQUERADE: how they change destination and source."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from ipt_explain.model import Family, Rule
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.netfilter.header import NatRange, format_address, format_endpoint, network_bits, parse_nat_destination
from ipt_explain.netfilter.hooks import DESTINATION_NAT, Hook
from ipt_explain.netfilter.packet import CLIENT_PORT, Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Address, Whereabouts, address_text, is_loopback

MOST_PORTS = 64
"""Up to this many random ports become one outcome each; more stay together."""

_LOOPBACK = {Family.IPV4: 0x7F000001, Family.IPV6: 1}

Choices = list[tuple[Fraction, Heading]]
"""Where NAT sends packets, with the share of each."""


def rewrites_destination(state: PacketState) -> bool:
    """Whether NAT rewrites destinations in the current hook."""
    return state.hook in DESTINATION_NAT


def dnat(rule: Rule, state: PacketState, to: Heading) -> Choices:
    """DNAT's choice. Raises ValueError for an unreadable `--to-destination`."""
    wanted = parse_nat_destination(rule.target_value("--to-destination") or "")
    address = to.address
    if wanted.first is not None and wanted.last is not None:
        _of_family(max(wanted.first, wanted.last), state)
        address = address_in_range(wanted.first, wanted.last, state, to, _flag(rule, "--persistent"))
    return with_ports(address, wanted, to.port, _flag(rule, "--random"))


def address_in_range(first: int, last: int, state: PacketState, to: Heading, persistent: bool) -> Address:
    """The address that the kernel picks from a range, if source and destination are known."""
    family, source, destination = state.connection.family, state.source, to.address
    if first == last:
        return first
    if isinstance(source, int) and isinstance(destination, int):
        from ipt_explain.netfilter.nat.choice import chosen_address

        zone = max(each or 0 for each in state.zones)
        return chosen_address(first, last, source, destination, persistent, family, zone)
    return Whereabouts(f"{format_address(first, family)}-{format_address(last, family)}", family)


def redirect(rule: Rule, state: PacketState, to: Heading) -> Choices:
    """REDIRECT's choice; none if the interface that the packet arrived on has no address: the kernel drops it
    (nf_nat_redirect.c)."""
    if redirects_nowhere(state):
        return []
    address = redirected_to(state)
    text = rule.target_value("--to-ports")
    wanted = parse_nat_destination(f":{text}") if text else NatRange(None, None)
    return with_ports(address, wanted, to.port, _flag(rule, "--random"))


def redirects_nowhere(state: PacketState) -> bool:
    """Whether the interface that a packet arrived on is known to have no address."""
    node = state.node
    shown = node.all_interfaces and bool(state.in_interface)
    return shown and state.hook is not Hook.OUTPUT and state.in_interface not in dict(node.first_addresses)


def redirected_to(state: PacketState) -> Address | None:
    """Loopback for the node's own packets, otherwise the first address of the interface that the packet arrived on.

    The dump does not show that address: the user gives it for the interface, or gives only one address. Otherwise None.
    """
    if state.hook is Hook.OUTPUT:
        return _LOOPBACK[state.connection.family]
    known = dict(state.node.first_addresses)
    if state.in_interface and known:
        return known.get(state.in_interface)
    return _only_address(state)


def masqueraded_as(state: PacketState) -> Address:
    """The source after masquerading: an address of the node, known or not. The node's own packets keep theirs, unless
    it is a loopback address (nf_nat_masquerade.c takes one of global scope, even on lo)."""
    source, connection = state.source, state.connection
    if connection.local and not (isinstance(source, int) and is_loopback(source, connection.family)):
        return source
    return _only_address(state) or _of_the_node(connection.family)


def _only_address(state: PacketState) -> int | None:
    """The node's address, if exactly one is known."""
    return _only_one(state.node.local_addresses, state.connection.family)


@lru_cache(maxsize=4)
def _only_one(local_addresses: frozenset[int], family: Family) -> int | None:
    own = [one for one in local_addresses if not is_loopback(one, family)]
    return own[0] if len(own) == 1 else None


@lru_cache(maxsize=2)
def _of_the_node(family: Family) -> Whereabouts:
    loopback = (127 << 24, 255 << 24) if family is Family.IPV4 else (1, (1 << 128) - 1)
    return Whereabouts("the node's address", family, outside=(loopback,), owned=Truth.YES)


def netmap(rule: Rule, state: PacketState, to: Heading) -> Choices:
    """NETMAP's choice: replaces the network bits and keeps the host bits."""
    return [(ALWAYS, Heading(None if to.address is None else _mapped(rule, to.address, state), to.port))]


def sent_to(state: PacketState, before: Heading, after: Heading) -> PacketState:
    """The packet after NAT has decided its destination. To the kernel, an unchanged destination is no DNAT."""
    changed = after.address is None or (after.address, after.port) != (before.address, before.port)
    return state._replace(destination_decided=True, dnat=changed)


def sent_from(rule: Rule, state: PacketState) -> PacketState:
    """The packet after a rule has decided its source and perhaps its port. To the kernel, an unchanged source is no
    SNAT."""
    source = _new_source(rule, state)
    ports = rule.target_value("--to-ports")
    wanted = parse_nat_destination(f":{ports}" if ports else rule.target_value("--to-source") or "")
    randomly = _flag(rule, "--random") or _flag(rule, "--random-fully")
    changed = source != state.source or wanted.first_port is not None or randomly
    port = source_port(wanted, state, randomly)
    return state._replace(source=source, source_port=port, source_decided=True, snat=changed)


def source_port(wanted: NatRange, state: PacketState, randomly: bool) -> int | None:
    """The port that a new source gets from a range: the first, where the kernel picks one at random. None if the port
    is kept, as the kernel does unless another connection has it."""
    if wanted.first_port is None:
        return None
    from ipt_explain.netfilter.nat.choice import chosen_ports

    port = state.source_port or CLIENT_PORT
    ports = chosen_ports(wanted, port, randomly)
    return None if ports is None or ports[0] <= port <= ports[1] else ports[0]


def _new_source(rule: Rule, state: PacketState) -> Address:
    """The source that SNAT, MASQUERADE or NETMAP gives. Of a range, SNAT's first: nothing later depends on which."""
    if rule.target == "NETMAP":
        return _mapped(rule, state.source, state)
    if rule.target == "SNAT":
        first = parse_nat_destination(rule.target_value("--to-source") or "").first
        return state.source if first is None else _of_family(first, state)
    return masqueraded_as(state)


def destination_text(to: Heading, family: Family) -> str:
    """`10.244.1.5:8080`, `[fd00::1]:80`; `local:15001` if REDIRECT chose the interface's own address."""
    port = to.ports or to.port
    if to.address is None:
        return "local" if port is None else f"local:{port}"
    if isinstance(to.address, int):
        return format_endpoint(to.address, port, family)
    text = address_text(to.address, family)
    return text if port is None else f"{text}:{port}"


def with_ports(address: Address | None, wanted: NatRange, port: int | None, randomly: bool) -> Choices:
    """An address with each port that a destination port may become."""
    from ipt_explain.netfilter.nat.choice import chosen_ports

    ports = chosen_ports(wanted, port, randomly)
    if ports is None:
        return [(ALWAYS, Heading(address, port))]
    first, last = ports
    count = last - first + 1
    if count > MOST_PORTS:
        return [(ALWAYS, Heading(address, None, f"{first}-{last}"))]
    return [(Fraction(1, count), Heading(address, number)) for number in range(first, last + 1)]


def _mapped(rule: Rule, address: Address, state: PacketState) -> Address:
    value, mask = network_bits(rule.target_value("--to") or "")
    if not isinstance(address, int):
        return address  # its host bits stay unknown
    return _of_family(value | (address & ~mask), state)


def _of_family(address: int, state: PacketState) -> int:
    if address >> ADDRESS_BITS[state.connection.family]:
        raise ValueError("a rule gives an IPv4 packet an IPv6 address")
    return address


def _flag(rule: Rule, name: str) -> bool:
    return rule.shape.target_option(name) is not None
