"""Normalising what nft spells in several ways, for the readers of text and JSON.

`nft -n` prints protocols, states and the like as numbers, `-p` only protocols; `-S` prints ports by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ipt_explain.columns import column
from ipt_explain.model import nft
from ipt_explain.records import replace
from ipt_explain.words.names import PORTS, PROTOCOLS

_BITS_OF_CONNECTION = frozenset({"state", "status", "event", "label"})
_TCP_FLAGS = nft.Payload("tcp", "flags")
_OPERATOR_WORDS = {"and": "&", "or": "|", "xor": "^"}

# include/uapi/linux/netfilter_ipv4.h and netfilter_bridge.h, as nft names them (src/rule.c, std_prios).
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_BRIDGE_PRIORITIES = {"dstnat": -300, "filter": -200, "out": 100, "srcnat": 300}

Spellings: TypeAlias = "Mapping[Any, Any]"
"""Constants of one kind as nft prints them without options, by what it prints with some."""

# nft describe ct_state, ct_status, ct_dir, nf_proto, ether_type, pkt_type, fib_addrtype, tcp_flag.
_STATES = {1: "invalid", 2: "established", 4: "related", 8: "new", 64: "untracked"}
_STATUS = {1: "expected", 2: "seen-reply", 4: "assured", 8: "confirmed", 16: "snat", 32: "dnat", 512: "dying"}
_TCP_BITS = {1: "fin", 2: "syn", 4: "rst", 8: "psh", 16: "ack", 32: "urg", 64: "ecn", 128: "cwr"}
_ADDRESS_TYPES = {
    1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 6: "blackhole", 7: "unreachable",
    8: "prohibit",
}  # fmt: skip
# nft 1.0.6 prints them in JSON as little-endian machines keep them in memory.
_ETHERTYPES = {
    0x0800: "ip", 0x0806: "arp", 0x8100: "vlan", 0x86DD: "ip6", 0x0008: "ip", 0x0608: "arp", 0x0081: "vlan",
    0xDD86: "ip6",
}  # fmt: skip
_OF_FIELDS: Mapping[tuple[str, str], Spellings] = {
    ("tcp", "flags"): _TCP_BITS, ("ip", "protocol"): PROTOCOLS, ("ip6", "nexthdr"): PROTOCOLS,
    ("ether", "type"): _ETHERTYPES, **{(each, port): PORTS for each in ("tcp", "udp", "th", "sctp", "dccp", "udplite")
                                      for port in ("sport", "dport")},
}  # fmt: skip
_OF_META: Mapping[str, Spellings] = {
    "l4proto": PROTOCOLS, "nfproto": {2: "ipv4", 10: "ipv6"}, "protocol": _ETHERTYPES,
    "pkttype": {0: "host", 1: "broadcast", 2: "multicast", 3: "other"},
}  # fmt: skip
_OF_CONNECTION: Mapping[str, Spellings] = {
    "state": _STATES, "status": _STATUS, "direction": {0: "original", 1: "reply"}, "protocol": PROTOCOLS,
    "proto-src": PORTS, "proto-dst": PORTS,
}  # fmt: skip
_OF_FIB: Mapping[str, Spellings] = {"type": _ADDRESS_TYPES, "oif": {0: False}, "oifname": {0: False}}
_OF_TYPES: Mapping[str, Spellings] = {
    "inet_proto": PROTOCOLS, "inet_service": PORTS, "ct_state": _STATES,
    "meta l4proto": PROTOCOLS, "ip protocol": PROTOCOLS, "th dport": PORTS, "tcp dport": PORTS, "udp dport": PORTS,
}  # fmt: skip
_NOTHING: Spellings = {}
_PLAIN = frozenset({int, str})
_REJECTIONS: Mapping[str | None, Spellings] = {
    "icmp": {
        0: "net-unreachable", 1: "host-unreachable", 2: "prot-unreachable", 3: "port-unreachable", 9: "net-prohibited",
        10: "host-prohibited", 13: "admin-prohibited",
    },
    "icmpv6": {
        0: "no-route", 1: "admin-prohibited", 3: "addr-unreachable", 4: "port-unreachable", 5: "policy-fail",
        6: "reject-route",
    },
    "icmpx": {0: "no-route", 1: "port-unreachable", 2: "host-unreachable", 3: "admin-prohibited"},
}  # fmt: skip

USUAL_BURST = {"packets": 5}
"""The default burst of a limit in packets; limits in bytes have none."""


def implicit_operator(left: nft.Expression, right: nft.Expression) -> nft.Operator:
    """How `LEFT RIGHT` compares: bit fields by any bit, everything else by equality."""
    if isinstance(right, (nft.SetLiteral, nft.SetReference)):
        return nft.Operator.EQUAL
    if isinstance(left, nft.Conntrack):
        return nft.Operator.IN if left.key in _BITS_OF_CONNECTION else nft.Operator.EQUAL
    return nft.Operator.IN if isinstance(left, nft.Payload) and left == _TCP_FLAGS else nft.Operator.EQUAL


NONE_OF = "!"
"""An operator of newer nfts: none of these bits is set."""


def none_of(left: nft.Expression, bits: nft.Expression) -> nft.Match:
    """`LEFT ! BITS`, as older nfts print it: `LEFT & BITS == 0`."""
    return nft.Match(nft.Binary("&", left, bits), nft.Operator.EQUAL, 0)


def operator_sign(text: str) -> str:
    """`&` for `and`, and so on."""
    return _OPERATOR_WORDS.get(text, text)


def reject_with(kind: str | None, code: nft.Constant | None) -> nft.Reject:
    """A reject; nft leaves out the default, port unreachable, where packets are of one family or of any."""
    code = _REJECTIONS.get(kind, _NOTHING).get(code, code)
    return nft.Reject() if kind == "icmpx" and code == "port-unreachable" else nft.Reject(kind, code)


def usual_reject(reject: nft.Reject, family: nft.TableFamily) -> nft.Reject:
    """A reject of a table as nft prints it there."""
    usual_kind = {nft.TableFamily.IP: "icmp", nft.TableFamily.IP6: "icmpv6"}.get(family)
    if reject.kind == usual_kind and reject.code == "port-unreachable":
        return nft.Reject()
    return reject


def priority_of(name: str | None, offset: int, family: nft.TableFamily) -> int | None:
    """The number of `dstnat - 10`; None for an unknown name."""
    if name is None:
        return offset
    known = _BRIDGE_PRIORITIES if family is nft.TableFamily.BRIDGE else _PRIORITIES
    base = known.get(name)
    return None if base is None else base + offset


def usual(left: nft.Expression, right: Any) -> Any:
    """What an expression is compared with, or looked up in, as nft prints it without options."""
    if isinstance(left, nft.Concatenation):
        return _all_usual(right, [_spellings(part) for part in left.parts])
    spellings = _spellings(left)
    return _usual(right, spellings) if spellings else right


def usual_target(target: Any) -> Any:
    """Where NAT leads: an address, a port, or a map to them. No address is spelled as a port is."""
    if isinstance(target, nft.MapLookup) and isinstance(target.data, nft.SetLiteral):
        given = column(target.data.elements, "data")
        columns = given.parts if isinstance(given, nft.Concatenations) else map(_parts, given)
        if all(_are_usual(each, PORTS) for each in columns):
            return target
        elements = tuple([replace(each, data=usual_target(each.data)) for each in target.data.elements])
        return nft.MapLookup(target.key, nft.SetLiteral(elements))
    return _usual(target, PORTS)


def with_usual_constants(
    elements: Sequence[nft.Element], types: Sequence[str], data_types: Sequence[str] | None
) -> Sequence[nft.Element]:
    """A set's elements as nft prints them without options."""
    keys = [_OF_TYPES.get(each, _NOTHING) for each in types]
    if _need_spelling(column(elements, "key"), keys):
        elements = tuple([replace(each, key=_all_usual(each.key, keys)) for each in elements])
    data = [_OF_TYPES.get(each, _NOTHING) for each in data_types or ()]
    if any(data) and _need_spelling(column(elements, "data"), data):
        elements = tuple([replace(each, data=_all_usual(each.data, data)) for each in elements])
    return elements


def _need_spelling(expressions: Sequence[Any], spellings: Sequence[Spellings]) -> bool:
    """Whether any of some expressions, whose parts have these spellings, has to be spelled as nft prints it."""
    if not any(spellings) or not expressions:
        return False
    columns = nft.in_parts(expressions, len(spellings))
    if columns is None:
        parts = [each for each in map(_parts, expressions) if len(each) == len(spellings)]
        columns = list(zip(*parts))
    return any(
        not known.keys().isdisjoint(values) or nft.Range in set(map(type, values))
        for values, known in zip(columns, spellings)
        if known
    )


def _are_usual(values: Sequence[Any], spellings: Spellings) -> bool:
    """Whether values are words and numbers that are spelled so already."""
    return _PLAIN.issuperset(map(type, values)) and spellings.keys().isdisjoint(values)


def _parts(value: Any) -> Sequence[Any]:
    return value.parts if type(value) is nft.Concatenation else (value,)


def _spellings(expression: nft.Expression) -> Spellings:
    if isinstance(expression, nft.Payload):
        return _OF_FIELDS.get((expression.protocol, expression.field), _NOTHING)
    if isinstance(expression, nft.Meta):
        return _OF_META.get(expression.key, _NOTHING)
    if isinstance(expression, nft.Conntrack):
        return _OF_CONNECTION.get(expression.key, _NOTHING)
    if isinstance(expression, nft.Fib):
        return _OF_FIB.get(expression.result, _NOTHING)
    return _spellings(expression.left) if isinstance(expression, nft.Binary) else _NOTHING


def _all_usual(value: Any, spellings: Sequence[Spellings]) -> Any:
    """A value of several parts, or a set of such."""
    if isinstance(value, nft.SetLiteral):
        return nft.SetLiteral(tuple([replace(each, key=_all_usual(each.key, spellings)) for each in value.elements]))
    parts = value.parts if isinstance(value, nft.Concatenation) else (value,)
    if len(parts) != len(spellings):
        return value
    usual_parts = tuple(map(_usual, parts, spellings))
    return nft.Concatenation(usual_parts) if isinstance(value, nft.Concatenation) else usual_parts[0]


def _usual(value: Any, spellings: Spellings) -> Any:
    if type(value) is int or type(value) is str:
        return spellings.get(value, value)
    if isinstance(value, nft.Flags):
        return nft.Flags(tuple([spellings.get(name, name) for name in value.names]))
    if isinstance(value, nft.Range):
        return nft.Range(spellings.get(value.first, value.first), spellings.get(value.last, value.last))
    if isinstance(value, nft.Concatenation):
        return nft.Concatenation(tuple([_usual(part, spellings) for part in value.parts]))
    if isinstance(value, nft.SetLiteral):
        return nft.SetLiteral(tuple([replace(each, key=_usual(each.key, spellings)) for each in value.elements]))
    return value
