"""How writing a mark, an address or a port changes a packet."""

from __future__ import annotations

from ipt_explain.model import nft
from ipt_explain.netfilter.marks import ALL_BITS
from ipt_explain.netfilter.nft.values.constants import Datatype, canonical
from ipt_explain.netfilter.packet import Bound, Heading, PacketState, Tracking


def mangled(
    mangle: nft.Mangle, value: nft.Expression | None, state: PacketState, bound: Bound
) -> tuple[PacketState, Heading] | None:
    """The packet's state and destination after `value` is written; None if unknown.

    Fields that rules cannot or seldom test (priority, trace, TTL) are ignored.
    """
    target, to = mangle.target, bound.to
    if isinstance(target, nft.Meta) and target.key == "mark":
        return (state._replace(mark=value & ALL_BITS), to) if isinstance(value, int) else None
    if isinstance(target, nft.Conntrack) and target.key == "mark":
        if not state.tracked:
            return state, to
        return (state._replace(connmark=value & ALL_BITS), to) if isinstance(value, int) else None
    if isinstance(target, nft.Conntrack) and target.key == "zone":
        if state.tracking is not Tracking.NOT_YET:
            return state, to
        if not isinstance(value, int):
            return None
        zones = (0 if target.direction == "reply" else value), (0 if target.direction == "original" else value)
        return state._replace(tracking=Tracking.TEMPLATE, zones=zones), to
    if isinstance(target, nft.Payload):
        return _written(target.field, value, state, to)
    return state, to


def _written(
    field: str, value: nft.Expression | None, state: PacketState, to: Heading
) -> tuple[PacketState, Heading] | None:
    """Rewrites a header field without connection tracking knowing."""
    if field in ("saddr", "daddr"):
        address = None if value is None else canonical(value, Datatype.ADDRESS)
        if not isinstance(address, int):
            return None
        return (state._replace(source=address), to) if field == "saddr" else (state, to._replace(address=address))
    if field in ("sport", "dport"):
        if not isinstance(value, int):
            return None
        return (
            (state._replace(source_port=value), to) if field == "sport" else (state, to._replace(port=value, ports=""))
        )
    return state, to
