"""dnat, redirect, snat and masquerade: how they change destination and source.

Facts: nft_nat_eval, nft_redir_eval and nft_masq_eval of net/netfilter. The kernel picks from ranges as for iptables
(netfilter.nat.choice). A NAT statement accepts.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import cast

from ipt_explain.model import Family, nft
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.netfilter.header import NatRange, parse_ipv4
from ipt_explain.netfilter.nat import address_in_range, masqueraded_as, redirected_to, sent_to, source_port, with_ports
from ipt_explain.netfilter.nft.values.constants import Datatype, canonical
from ipt_explain.netfilter.packet import Heading, PacketState, headings
from ipt_explain.netfilter.probability import ALWAYS
from ipt_explain.netfilter.whereabouts import Address

Rewritten = tuple[Fraction, PacketState, Heading]
"""A share of packets, their state afterwards, and their new destination."""


def applies(nat: nft.Nat, state: PacketState) -> bool:
    """Whether a NAT statement applies to packets of this family; for others the rule ends."""
    if nat.family is None:
        return True
    return (nat.family == "ip") is (state.connection.family is Family.IPV4)


def rewritten(nat: nft.Nat, address: nft.Expression | None, state: PacketState, to: Heading) -> list[Rewritten]:
    """The packets after a NAT statement. `address` is the statement's, or what its map gave, which may be a
    concatenation of address and port. Raises ValueError for unreadable values."""
    port = nat.port
    if isinstance(address, nft.Concatenation):
        address, port = address.parts
    if nat.kind in (nft.NatKind.SNAT, nft.NatKind.MASQUERADE):
        return [(ALWAYS, _sent_from(nat, address, port, state), to)]
    if nat.kind is nft.NatKind.REDIRECT:
        host = redirected_to(state)
    else:
        host = to.address if address is None else _chosen(address, nat, to.address, state, to)
    ends = with_ports(host, _port_range(port), to.port, _randomly(nat))
    if port is None and to.ports:
        ends = [(ALWAYS, Heading(host, None, to.ports))]
    return [(share, sent_to(state, to, heading), heading) for share, heading in ends]


def fixed_destination(nat: nft.Nat, address: nft.Expression | nft.Verdict | None, state: PacketState) -> Heading | None:
    """Where `dnat` sends all packets of a family; None if that depends on the packet."""
    port = nat.port
    if isinstance(address, nft.Concatenation) and len(address.parts) == 2:
        address, port = address.parts
    if nat.kind is not nft.NatKind.DNAT or not isinstance(address, str) or not isinstance(port, int):
        return None
    try:
        return Heading(_number(address, state.connection.family), port)
    except ValueError:
        return None


def fixed_destinations(
    nat: nft.Nat, addresses: Sequence[nft.Expression | nft.Verdict | None], state: PacketState
) -> Sequence[Heading] | None:
    """The same for several addresses; None if that depends on the packet for any. IPv4 is read at once."""
    if isinstance(addresses, nft.Concatenations) and len(addresses.parts) == 2 and nat.kind is nft.NatKind.DNAT:
        hosts, ports = addresses.parts
        if state.connection.family is Family.IPV4 and set(map(type, hosts)) == {str} and set(map(type, ports)) == {int}:
            known = parse_ipv4(cast("Sequence[str]", hosts))
            if known is not None:
                return tuple(headings(known, cast("Sequence[int]", ports)))
    found = [fixed_destination(nat, address, state) for address in addresses]
    return None if None in found else cast("Sequence[Heading]", tuple(found))


def _sent_from(
    nat: nft.Nat, address: nft.Expression | None, port: nft.Expression | None, state: PacketState
) -> PacketState:
    """The packet with a new source. Of a range, the first address: nothing later depends on which."""
    if nat.kind is nft.NatKind.MASQUERADE:
        source: Address | None = masqueraded_as(state)
    else:
        source = state.source if address is None else _chosen(address, nat, state.source, state, None)
    if source is None:
        source = state.source
    changed = source != state.source or port is not None or _randomly(nat)
    new_port = source_port(_port_range(port), state, _randomly(nat))
    return state._replace(source=source, source_port=new_port, source_decided=True, snat=changed)


def _chosen(
    address: nft.Expression, nat: nft.Nat, before: Address | None, state: PacketState, to: Heading | None
) -> Address | None:
    family = state.connection.family
    if isinstance(address, nft.Prefix):  # replaces the network bits, keeps the host bits
        mask = (1 << ADDRESS_BITS[family]) - (1 << ADDRESS_BITS[family] - address.length)
        base = _number(address.base, family)
        return base & mask | before & ~mask if isinstance(before, int) else before
    if not isinstance(address, nft.Range):
        return _number(address, family)
    first, last = _number(address.first, family), _number(address.last, family)
    return first if to is None else address_in_range(first, last, state, to, "persistent" in nat.flags)


def _number(address: nft.Expression, family: Family) -> int:
    value = canonical(address, Datatype.ADDRESS)
    if not isinstance(value, int) or value >> ADDRESS_BITS[family]:
        raise ValueError("no address of the packet's family")
    return value


def _port_range(port: nft.Expression | None) -> NatRange:
    if port is None:
        return NatRange(None, None)
    first, last = (port.first, port.last) if isinstance(port, nft.Range) else (port, port)
    if not isinstance(first, int) or not isinstance(last, int):
        raise ValueError("no port")
    return NatRange(None, None, first, last)


def _randomly(nat: nft.Nat) -> bool:
    return not nat.flags.isdisjoint({"random", "fully-random"})
