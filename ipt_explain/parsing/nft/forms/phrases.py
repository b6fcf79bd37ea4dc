"""Converting each phrase of the grammar, from its parts with keywords, to an object of the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipt_explain.model import nft
from ipt_explain.model.nft.printing import expression_text
from ipt_explain.parsing.nft.forms import statements
from ipt_explain.parsing.nft.forms.statements import Parts
from ipt_explain.parsing.nft.lines import BaseLine, BlockOpening, Closing, Line, Property, RuleLine, Types
from ipt_explain.parsing.nft.normal import operator_sign, usual
from ipt_explain.records import Record

_ROUTING_HEADER = frozenset({"nexthdr", "hdrlength", "type", "seg-left"})


class _Comment(Record):
    text: str


class _Timeout(Record):
    seconds: int


class _Expires(Record):
    seconds: int


def only(parts: Parts) -> Any:
    """A phrase that means the same as its first part."""
    return parts[0]


def _word(parts: Parts) -> nft.Constant:
    word: str = parts[0]
    return {"exists": True, "missing": False}.get(word, word)


def _line(parts: Parts) -> Line:
    return Line(parts[0], parts[1] if len(parts) > 1 else None)


def _rule(parts: Parts) -> RuleLine:
    found: list[nft.Statement] = []
    comment = None
    for part in parts:
        if not isinstance(part, _Comment):
            found.append(part)
        elif comment is None:
            comment = part.text
    return RuleLine(tuple(found), comment)


def _base_chain(parts: Parts) -> BaseLine:
    devices: tuple[str, ...] = ()
    name: str | None = None
    offset = 0
    for part in parts:
        if isinstance(part, nft.SetLiteral):
            devices = tuple(str(element.key) for element in part.elements)
        elif isinstance(part, tuple):
            name, offset = part
    if "device" in parts:
        devices = (parts[parts.index("device") + 1],)
    policy = parts[parts.index("policy") + 1] if "policy" in parts[4:] else "accept"
    return BaseLine(parts[1], parts[3], name, offset, policy, devices)


def _device(parts: Parts) -> nft.SetLiteral:
    return parts[-1] if isinstance(parts[-1], nft.SetLiteral) else nft.SetLiteral((nft.Element(parts[-1]),))


def _named_priority(parts: Parts) -> tuple[str, int]:
    if len(parts) == 1:
        return parts[0], 0
    return parts[0], -parts[2] if parts[1] == "-" else parts[2]


def _plain_priority(parts: Parts) -> tuple[None, int]:
    return None, -parts[-1] if parts[0] == "-" else parts[-1]


def _typeof(parts: Parts) -> tuple[str, ...]:
    return tuple(part if part == "verdict" else expression_text(part) for part in parts[0::2])


def _flag_property(parts: Parts) -> Property:
    return Property("flags", tuple(part for part in parts[1:] if part not in (",", ";")))


def _element(parts: Parts) -> nft.Element:
    given: dict[str, Any] = {}
    data = None
    for place, part in enumerate(parts[1:], 1):
        if isinstance(part, _Comment):
            given["comment"] = part.text
        elif isinstance(part, _Timeout):
            given["timeout"] = part.seconds
        elif isinstance(part, _Expires):
            given["expires"] = part.seconds
        elif isinstance(part, nft.Counter):
            given["counter"] = part
        elif parts[place - 1] == ":":
            data = part
    return nft.Element(parts[0], data, **given)


def _routing(parts: Parts) -> nft.Routing | nft.ExtensionHeader:
    """`rt nexthop` is what routing found, `rt type` a field of IPv6's routing header."""
    key, family = parts[-1], parts[1] if len(parts) == 3 else None
    return nft.ExtensionHeader("rt", key) if key in _ROUTING_HEADER else nft.Routing(key, family)


def _conntrack(parts: Parts) -> nft.Conntrack:
    return nft.Conntrack(parts[-1], parts[1] if len(parts) == 3 else None)


def _jhash(parts: Parts) -> nft.Hash:
    seed = parts[parts.index("seed") + 1] if "seed" in parts else None
    offset = parts[parts.index("offset") + 1] if "offset" in parts else 0
    return nft.Hash(parts[1], parts[3], seed, offset)


PHRASES: dict[str, Callable[[Parts], Any]] = {
    "line": _line,
    "open_table": lambda parts: BlockOpening("table", parts[2], parts[1]),
    "open_chain": lambda parts: BlockOpening("chain", parts[1]),
    "open_set": lambda parts: BlockOpening("set", parts[1]),
    "open_map": lambda parts: BlockOpening("map", parts[1]),
    "open_object": lambda parts: BlockOpening(parts[0], parts[1]),
    "close": lambda parts: Closing(),
    "base_chain": _base_chain,
    "device": _device,
    "named_priority": _named_priority,
    "plain_priority": _plain_priority,
    "set_types": lambda parts: Types(parts[1], parts[-1] if len(parts) > 3 else None),
    "types": lambda parts: tuple(parts[0::2]),
    "typeof": _typeof,
    "flag_property": _flag_property,
    "timeout_property": lambda parts: Property("timeout", parts[1]),
    "interval_property": lambda parts: Property("gc-interval", parts[1]),
    "size_property": lambda parts: Property("size", parts[1]),
    "policy_property": lambda parts: Property("policy", parts[1]),
    "merge_property": lambda parts: Property("auto-merge"),
    "rule": _rule,
    "element": _element,
    "wildcard": lambda parts: nft.WILDCARD,
    "key": only,
    "timeout": lambda parts: _Timeout(parts[1]),
    "expires": lambda parts: _Expires(parts[1]),
    "comment": lambda parts: _Comment(parts[1]),
    "option": only,
    "verdict": lambda parts: nft.Verdict(nft.VerdictKind(parts[0])),
    "transfer": lambda parts: nft.Verdict(nft.VerdictKind(parts[0]), parts[1]),
    "match": statements.match,
    "braces": only,
    "set_name": only,
    "flags": statements.flags,
    "masks": statements.flags,
    "masked": lambda parts: statements.Masked(parts[0], parts[2]),
    "masked_one": lambda parts: statements.Masked(parts[0], statements.flags(parts[2:])),
    "verdict_map": lambda parts: nft.VerdictMap(parts[0], usual(parts[0], parts[2])),
    "mangle": lambda parts: nft.Mangle(parts[0], parts[2]),
    "nat": statements.nat,
    "local_nat": statements.local_nat,
    "nat_to": lambda parts: statements.NatTarget(parts[0], parts[2] if len(parts) > 1 else None),
    "nat_to_port": lambda parts: statements.NatTarget(None, parts[1]),
    "nat_by": lambda parts: statements.NatTarget(
        nft.MapLookup(parts[0], usual(parts[0], parts[2])) if len(parts) > 1 else parts[0], None
    ),
    "nat_address": statements.nat_address,
    "nat_port": lambda parts: nft.Range(parts[0], parts[2]) if len(parts) > 1 else parts[0],
    "nat_flags": lambda parts: frozenset(parts[0::2]),
    "counter": statements.counter,
    "named_counter": lambda parts: nft.Counter(name=parts[2]),
    "limit": statements.limit,
    "named_limit": lambda parts: nft.Limit(name=parts[2]),
    "quota": statements.quota,
    "named_quota": lambda parts: nft.Quota(name=parts[2]),
    "count": lambda parts: nft.CountLimit(parts[-1], "over" in parts[2:-1]),
    "log": statements.log,
    "log_prefix": lambda parts: ("prefix", parts[1]),
    "log_level": lambda parts: ("level", parts[1]),
    "log_number": lambda parts: (parts[0], parts[1]),
    "log_flags": statements.log_flags,
    "reject": statements.reject,
    "set_update": statements.set_update,
    "notrack": lambda parts: nft.Notrack(),
    "flow": lambda parts: nft.FlowOffload(parts[2]),
    "xtables": lambda parts: nft.Xtables(parts[1], parts[2]),
    "concatenation": lambda parts: nft.Concatenation(tuple(parts[0::2])),
    "binary": lambda parts: nft.Binary(parts[1], parts[0], parts[2]),
    "mask_operator": lambda parts: operator_sign(parts[0]),
    "payload": lambda parts: nft.Payload(parts[0], parts[1]),
    "arp_payload": lambda parts: nft.Payload(parts[0], parts[1]),
    "raw_payload": lambda parts: nft.Payload(*parts[0].split(",", 1)),
    "meta": lambda parts: nft.Meta(parts[-1]),
    "conntrack": _conntrack,
    "fib": lambda parts: nft.Fib(tuple(parts[1:-1:2]), parts[-1]),
    "routing": _routing,
    "socket": lambda parts: nft.Socket(parts[1]),
    "numgen": lambda parts: nft.Numgen(parts[1] == "random", parts[3], parts[5] if len(parts) > 4 else 0),
    "jhash": _jhash,
    "symhash": lambda parts: nft.Hash(None, parts[2], None, parts[4] if len(parts) > 3 else 0),
    "extension": lambda parts: nft.ExtensionHeader(parts[1]) if parts[0] == "exthdr" else nft.ExtensionHeader(*parts),
    "header_option": lambda parts: nft.ExtensionHeader(f"{parts[0]} {parts[1]}", parts[2] if len(parts) > 2 else None),
    "map_lookup": lambda parts: nft.MapLookup(parts[0], usual(parts[0], parts[2])),
    "value_concatenation": lambda parts: nft.Concatenation(tuple(parts[0::2])),
    "range": lambda parts: nft.Range(parts[0], parts[2]),
    "slashed": lambda parts: nft.Prefix(parts[0], parts[2]),
    "number": only,
    "hexadecimal": only,
    "text": only,
    "string": only,
    "time": only,
    "word": _word,
}
