"""What a packet shows to a set: an address, a port of a protocol, a mark, an interface.

Facts: net/netfilter/ipset of Linux: pfxlen.c, ip_set_getport.c (ports of TCP, UDP, UDPLITE and SCTP, type and code of
ICMP, 0 of all others; a bitmap of ports takes TCP and UDP alone), ip_set_hash_ipmark.c, ip_set_hash_netiface.c.
"""

from __future__ import annotations

from ipt_explain.model.node.ipsets import Dimension, IpSet, SetMethod
from ipt_explain.netfilter.header import protocols
from ipt_explain.netfilter.header.interfaces import NO_INTERFACE
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Whereabouts

_PORTS = frozenset({protocols.TCP, protocols.UDP, protocols.SCTP, protocols.UDPLITE})
_BITMAP_PORTS = frozenset({protocols.TCP, protocols.UDP})
ANY_PROTOCOL = 0
"""The protocol of ports in a bitmap, which keeps them without."""

Shown = int | str | tuple[int, int | None] | Whereabouts | Truth
"""An address or a mark; the name of an interface; a protocol and its port, None where the port is not known;
UNKNOWN for what is not known at all; NO for what the packet has not, so that no element fits."""


def shown(found: IpSet, dimension: Dimension, source: bool, state: PacketState, to: Heading) -> Shown:
    """What a packet shows of one dimension of a set, in the direction that the rule names."""
    if dimension in (Dimension.IP, Dimension.NET):
        address = state.source if source else to.address
        return Truth.UNKNOWN if address is None else address
    if dimension is Dimension.PORT:
        return _port(found.method, source, state, to)
    if dimension is Dimension.MARK:
        return state.mark if found.mark_mask is None else state.mark & found.mark_mask
    if dimension is Dimension.INTERFACE:
        name = state.in_interface if source else state.out_interface
        if name is None:
            return Truth.UNKNOWN
        return Truth.NO if name == NO_INTERFACE else name
    return Truth.UNKNOWN  # a hardware address


def _port(method: SetMethod, source: bool, state: PacketState, to: Heading) -> Shown:
    protocol = state.connection.protocol
    port = state.source_port if source else to.port
    if method is SetMethod.BITMAP:
        return (ANY_PROTOCOL, port) if protocol in _BITMAP_PORTS else Truth.NO
    if protocol in _PORTS:
        return protocol, port
    if protocol in (protocols.ICMP, protocols.ICMPV6):
        return protocol, state.connection.icmp_type << 8 | state.connection.icmp_code
    return protocol, 0
