"""dnat, redirect, snat and masquerade: how they change destination and source.

Facts: nft_nat_eval, nft_redir_eval and nft_masq_eval of net/netfilter; which address and port the kernel picks from a
range is the same for nftables and iptables (see nat_choice). A NAT statement accepts.
"""

from __future__ import annotations

from fractions import Fraction

from ipt_explain.model import Family
from ipt_explain.model.nft import Concatenation, Expression, Nat, NatKind, Prefix, Range, Verdict
from ipt_explain.netfilter.header.addresses import BITS, NatRange, format_address
from ipt_explain.netfilter.nat.choice import chosen_address, chosen_ports
from ipt_explain.netfilter.nat.targets import MOST_PORTS, masqueraded_as, redirected_to
from ipt_explain.netfilter.nft.constants import Kind, canonical
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS
from ipt_explain.netfilter.whereabouts import Address, Whereabouts

Rewritten = tuple[Fraction, PacketState, Heading]
"""A share of packets, and what they are then."""


def applies(nat: Nat, state: PacketState) -> bool:
    """Whether a NAT statement is about packets of this family; in other packets the rule ends."""
    if nat.family is None:
        return True
    return (nat.family == "ip") is (state.connection.family is Family.IPV4)


def rewritten(nat: Nat, address: Expression | None, state: PacketState, to: Heading) -> list[Rewritten]:
    """What packets become. `address` is the statement's, what a map gave in its place where it has one: then it may be
    a concatenation of address and port. Raises ValueError for what cannot be read."""
    port = nat.port
    if isinstance(address, Concatenation):
        address, port = address.parts
    if nat.kind in (NatKind.SNAT, NatKind.MASQUERADE):
        return [(ALWAYS, _sent_from(nat, address, port, state), to)]
    if nat.kind is NatKind.REDIRECT:
        place = redirected_to(state)
    else:
        place = to.address if address is None else _chosen(address, nat, to.address, state, to)
    ports = _ports(port, to.port, bool(nat.flags & {"random", "fully-random"}))
    if port is None and to.ports:
        ports = [(ALWAYS, None, to.ports)]
    return [(share, *_sent_to(state, to, Heading(place, number, span))) for share, number, span in ports]


def fixed_destination(nat: Nat, address: Expression | Verdict | None, state: PacketState) -> Heading | None:
    """Where `dnat` sends all packets of a family alike, whatever they are; None where that is not so plain."""
    port = nat.port
    if isinstance(address, Concatenation) and len(address.parts) == 2:
        address, port = address.parts
    if nat.kind is not NatKind.DNAT or not isinstance(address, str) or not isinstance(port, int):
        return None
    try:
        return Heading(_number(address, state.connection.family), port)
    except ValueError:
        return None


def translated(state: PacketState, changed: bool) -> PacketState:
    """A packet whose destination was decided on. What stays as it was has not been DNATed, as the kernel has it."""
    return state._replace(destination_decided=True, dnat=changed)


def _sent_to(state: PacketState, before: Heading, after: Heading) -> tuple[PacketState, Heading]:
    changed = after.address is None or (after.address, after.port) != (before.address, before.port)
    return translated(state, changed), after


def _sent_from(nat: Nat, address: Expression | None, port: Expression | None, state: PacketState) -> PacketState:
    """Of a range, the first address, as nothing later depends on which."""
    if nat.kind is NatKind.MASQUERADE:
        source: Address | None = masqueraded_as(state)
    else:
        source = state.source if address is None else _chosen(address, nat, state.source, state, None)
    if source is None:
        source = state.source
    arrived = nat.kind is NatKind.MASQUERADE and not state.connection.local
    changed = source != state.source or port is not None or arrived or bool(nat.flags & {"random", "fully-random"})
    return state._replace(source=source, source_port=None, source_decided=True, snat=changed)


def _chosen(
    address: Expression, nat: Nat, before: Address | None, state: PacketState, to: Heading | None
) -> Address | None:
    family = state.connection.family
    if isinstance(address, Prefix):  # the network's bits are replaced, the host's kept
        mask = (1 << BITS[family]) - (1 << BITS[family] - address.length)
        base = _number(address.base, family)
        return base & mask | before & ~mask if isinstance(before, int) else before
    if not isinstance(address, Range):
        return _number(address, family)
    first, last = _number(address.first, family), _number(address.last, family)
    if to is None or first == last:
        return first
    if isinstance(state.source, int) and isinstance(before, int):
        return chosen_address(first, last, state.source, before, "persistent" in nat.flags, family, state.zone or 0)
    return Whereabouts(f"{format_address(first, family)}-{format_address(last, family)}", family)


def _number(address: Expression, family: Family) -> int:
    value = canonical(address, Kind.ADDRESS)
    if not isinstance(value, int) or value >> BITS[family]:
        raise ValueError("no address of the packet's family")
    return value


def _ports(port: Expression | None, before: int | None, randomly: bool) -> list[tuple[Fraction, int | None, str]]:
    if port is None:
        return [(ALWAYS, before, "")]
    first, last = (port.first, port.last) if isinstance(port, Range) else (port, port)
    if not isinstance(first, int) or not isinstance(last, int):
        raise ValueError("no port")
    chosen = chosen_ports(NatRange(None, None, first, last), before, randomly)
    assert chosen is not None
    low, high = chosen
    count = high - low + 1
    if count > MOST_PORTS:
        return [(ALWAYS, None, f"{low}-{high}")]
    return [(Fraction(1, count), number, "") for number in range(low, high + 1)]
