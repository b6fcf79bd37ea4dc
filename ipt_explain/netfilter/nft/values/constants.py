"""Constants in rules and sets, in a form that can be compared with a packet's values."""

from __future__ import annotations

from functools import lru_cache

from ipt_explain.enums import Enum
from ipt_explain.model import nft
from ipt_explain.netfilter.header import parse_address, protocol_number
from ipt_explain.netfilter.header.icmp import ICMP_TYPES, ICMPV6_TYPES

RANDOM_BITS = 32


class Datatype(Enum):
    """The kind of an expression's values, which decides what constants mean."""

    ADDRESS = "address"
    PROTOCOL = "protocol"
    NUMBER = "number"
    INTERFACE = "interface"
    BITS = "bits"  # several bits by name
    ICMP_TYPE = "icmp type"
    ICMPV6_TYPE = "icmpv6 type"
    PACKET_TYPE = "packet type"
    WORD = "word"


DATATYPES = {
    "ipv4_addr": Datatype.ADDRESS,
    "ipv6_addr": Datatype.ADDRESS,
    "inet_proto": Datatype.PROTOCOL,
    "inet_service": Datatype.NUMBER,
    "mark": Datatype.NUMBER,
    "integer": Datatype.NUMBER,
    "ifname": Datatype.INTERFACE,
    "iface_index": Datatype.INTERFACE,
    "icmp_type": Datatype.ICMP_TYPE,
    "icmpv6_type": Datatype.ICMPV6_TYPE,
    "ct_state": Datatype.BITS,
    "pkt_type": Datatype.PACKET_TYPE,
}
"""The kinds of a set's declared types."""

# ICMPv6 types whose names differ between nft and ip6tables (nft describe icmpv6_type).
_NFT_ICMPV6 = {
    "mld-listener-query": 130, "mld-listener-report": 131, "mld-listener-done": 132, "mld-listener-reduction": 132,
    "nd-router-solicit": 133, "nd-router-advert": 134, "nd-neighbor-solicit": 135, "nd-neighbor-advert": 136,
    "nd-redirect": 137, "router-renumbering": 138, "ind-neighbor-solicit": 141, "ind-neighbor-advert": 142,
    "mld2-listener-report": 143,
}  # fmt: skip

_WORDS = frozenset({"nfproto", "protocol", "direction", "l3proto", "day", "hour", "time"})


def datatype_of(expression: nft.Expression) -> Datatype:
    """The kind of an expression's values."""
    if isinstance(expression, nft.Binary):
        return datatype_of(expression.left)
    if isinstance(expression, nft.Payload):
        return _kind_of_field(expression)
    if isinstance(expression, nft.Meta):
        if expression.key in ("iif", "iifname", "oif", "oifname"):
            return Datatype.INTERFACE
        if expression.key == "pkttype":
            return Datatype.PACKET_TYPE
        return Datatype.PROTOCOL if expression.key == "l4proto" else _number_or_word(expression.key)
    if isinstance(expression, nft.Conntrack):
        if expression.key in ("state", "status"):
            return Datatype.BITS
        if expression.key.endswith("addr"):
            return Datatype.ADDRESS
        return Datatype.PROTOCOL if expression.key == "protocol" else _number_or_word(expression.key)
    return Datatype.WORD if isinstance(expression, nft.Fib) else Datatype.NUMBER


def _kind_of_field(payload: nft.Payload) -> Datatype:
    if payload.protocol in ("ip", "ip6"):
        if payload.field in ("saddr", "daddr"):
            return Datatype.ADDRESS
        return Datatype.PROTOCOL if payload.field in ("protocol", "nexthdr") else Datatype.NUMBER
    if payload.protocol == "tcp" and payload.field == "flags":
        return Datatype.BITS
    if payload.field == "type" and payload.protocol in ("icmp", "icmpv6"):
        return Datatype.ICMP_TYPE if payload.protocol == "icmp" else Datatype.ICMPV6_TYPE
    return Datatype.NUMBER


def _number_or_word(key: str) -> Datatype:
    return Datatype.WORD if key in _WORDS else Datatype.NUMBER


@lru_cache(maxsize=65536)
def canonical(constant: nft.Expression, kind: Datatype) -> int | str | None:
    """A constant as in readings: addresses and protocols are numbers. None if unreadable."""
    if kind is Datatype.ADDRESS:
        if not isinstance(constant, str):
            return None
        try:
            return parse_address(constant)
        except ValueError:
            return None
    if kind is Datatype.PROTOCOL and isinstance(constant, str):
        return protocol_number(constant)
    if kind is Datatype.ICMP_TYPE and isinstance(constant, str):
        known = ICMP_TYPES.get(constant)
        return None if known is None else known[0]
    if kind is Datatype.ICMPV6_TYPE and isinstance(constant, str):
        known = ICMPV6_TYPES.get(constant)
        return _NFT_ICMPV6.get(constant) if known is None else known[0]
    if kind is Datatype.NUMBER and isinstance(constant, str):
        return None
    if kind is Datatype.PACKET_TYPE and constant == "unicast":
        return "host"
    return constant if isinstance(constant, (int, str)) else None


def bits_of(expression: nft.Expression) -> frozenset[str] | None:
    """Names of bits, none of 0; None for other expressions."""
    if isinstance(expression, nft.Flags):
        names = [name for name in expression.names if isinstance(name, str)]
        return frozenset(names) if len(names) == len(expression.names) else None
    if type(expression) is int and expression == 0:
        return frozenset()
    return frozenset({expression}) if isinstance(expression, str) else None
