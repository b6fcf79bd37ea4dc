"""The values of a packet that sets look up: address, protocol and port, mark, interface.

Facts: net/netfilter/ipset of Linux: pfxlen.c, ip_set_getport.c (the port for TCP, UDP, UDPLITE and SCTP, type and code
for ICMP, 0 for others; bitmaps of ports only take TCP and UDP), ip_set_hash_ipmark.c, ip_set_hash_netiface.c.
"""

from __future__ import annotations

from ipt_explain.model.node.ipsets import Dimension, IpSet, SetMethod
from ipt_explain.netfilter.header import ICMP, ICMPV6, NO_INTERFACE, SCTP, TCP, UDP, UDPLITE
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Whereabouts

_PORTS = frozenset({TCP, UDP, SCTP, UDPLITE})
_BITMAP_PORTS = frozenset({TCP, UDP})
ANY_PROTOCOL = 0
"""The protocol of ports in a bitmap, which has none."""

Shown = int | str | tuple[int, int | None] | Whereabouts | Truth
"""An address or a mark, an interface's name, or a protocol and port (None if unknown). UNKNOWN if the whole value is
unknown; NO if the packet has none, so that no element fits."""


def value_of(found: IpSet, dimension: Dimension, source: bool, state: PacketState, to: Heading) -> Shown:
    """The packet's value for one dimension of a set, in the direction that the rule names."""
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


def port_owner(method: SetMethod, protocol: int) -> int | None:
    """The protocol under which a set looks up a packet's port (ANY_PROTOCOL in a bitmap); None if it ignores the
    port."""
    if method is SetMethod.BITMAP:
        return ANY_PROTOCOL if protocol in _BITMAP_PORTS else None
    return protocol if protocol in _PORTS else None


def _port(method: SetMethod, source: bool, state: PacketState, to: Heading) -> Shown:
    protocol = state.connection.protocol
    port = state.source_port if source else to.port
    owner = port_owner(method, protocol)
    if owner is not None:
        return owner, port
    if method is SetMethod.BITMAP:
        return Truth.NO
    if protocol in (ICMP, ICMPV6):
        return protocol, state.connection.icmp_type << 8 | state.connection.icmp_code
    return protocol, 0
