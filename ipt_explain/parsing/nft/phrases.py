"""What each phrase of the grammar means: its parts, keywords included, to an object of the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipt_explain.model.nft import (
    WILDCARD,
    Binary,
    Concatenation,
    Conntrack,
    Constant,
    Counter,
    CountLimit,
    Element,
    Expression,
    ExtensionHeader,
    Fib,
    Flags,
    FlowOffload,
    Hash,
    Limit,
    Log,
    Mangle,
    MapLookup,
    Match,
    Meta,
    Nat,
    NatKind,
    Notrack,
    Numgen,
    Operator,
    Payload,
    Prefix,
    Quota,
    Range,
    Reject,
    Routing,
    SetLiteral,
    SetUpdate,
    Socket,
    Statement,
    Verdict,
    VerdictKind,
    VerdictMap,
    Xtables,
)
from ipt_explain.model.nft.printing import expression_text
from ipt_explain.parsing.nft.lines import BaseLine, Closing, Line, Opening, Property, RuleLine, Types
from ipt_explain.parsing.nft.normal import USUAL_BURST, implicit_operator, operator_sign, reject_with
from ipt_explain.records import dataclass

Parts = list[Any]


@dataclass(frozen=True, slots=True)
class _Comment:
    text: str


@dataclass(frozen=True, slots=True)
class _Timeout:
    seconds: int


@dataclass(frozen=True, slots=True)
class _Expires:
    seconds: int


@dataclass(frozen=True, slots=True)
class _Masked:
    """`VALUE / MASK` of bits by name, which belongs to both sides of a match."""

    value: Expression
    mask: Expression


@dataclass(frozen=True, slots=True)
class _Target:
    address: Expression | None
    port: Expression | None


def only(parts: Parts) -> Any:
    """What says no more than its first part."""
    return parts[0]


def _word(parts: Parts) -> Constant:
    word: str = parts[0]
    return {"exists": True, "missing": False}.get(word, word)


def _line(parts: Parts) -> Line:
    return Line(parts[0], parts[1] if len(parts) > 1 else None)


def _rule(parts: Parts) -> RuleLine:
    statements: list[Statement] = []
    comment = None
    for part in parts:
        if not isinstance(part, _Comment):
            statements.append(part)
        elif comment is None:
            comment = part.text
    return RuleLine(tuple(statements), comment)


def _base_chain(parts: Parts) -> BaseLine:
    devices: tuple[str, ...] = ()
    name: str | None = None
    offset = 0
    for part in parts:
        if isinstance(part, SetLiteral):
            devices = tuple(str(element.key) for element in part.elements)
        elif isinstance(part, tuple):
            name, offset = part
    if "device" in parts:
        devices = (parts[parts.index("device") + 1],)
    policy = parts[parts.index("policy") + 1] if "policy" in parts[4:] else "accept"
    return BaseLine(parts[1], parts[3], name, offset, policy, devices)


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


def _element(parts: Parts) -> Element:
    given: dict[str, Any] = {}
    data = None
    for place, part in enumerate(parts[1:], 1):
        if isinstance(part, _Comment):
            given["comment"] = part.text
        elif isinstance(part, _Timeout):
            given["timeout"] = part.seconds
        elif isinstance(part, _Expires):
            given["expires"] = part.seconds
        elif isinstance(part, Counter):
            given["counter"] = part
        elif parts[place - 1] == ":":
            data = part
    return Element(parts[0], data, **given)


def _match(parts: Parts) -> Match:
    left, right = parts[0], parts[-1]
    operator = Operator(parts[1]) if len(parts) == 3 else None
    if isinstance(right, _Masked):
        return Match(Binary("&", left, right.mask), operator or Operator.EQUAL, right.value)
    if isinstance(right, Prefix) and isinstance(right.length, str):
        return Match(Binary("&", left, right.length), operator or Operator.EQUAL, right.base)
    return Match(left, operator or implicit_operator(left, right), right)


def _flags(parts: Parts) -> Expression:
    names = tuple(part for part in parts if part not in (",", "|", "(", ")"))
    return names[0] if len(names) == 1 else Flags(names)


def _nat(parts: Parts) -> Nat:
    target: _Target = next(part for part in parts if isinstance(part, _Target))
    flags = next((part for part in parts if isinstance(part, frozenset)), frozenset())
    family = parts[1] if parts[1] in ("ip", "ip6") else None
    return Nat(NatKind(parts[0]), target.address, target.port, flags, family, "prefix" in parts[1:4])


def _local_nat(parts: Parts) -> Nat:
    flags = next((part for part in parts if isinstance(part, frozenset)), frozenset())
    port = parts[3] if len(parts) > 3 and parts[1] == "to" else None
    return Nat(NatKind(parts[0]), None, port, flags)


def _nat_address(parts: Parts) -> Expression:
    words = [part for part in parts if part not in ("[", "]")]
    if len(words) == 1:
        return words[0]  # type: ignore[no-any-return]
    return Range(words[0], words[2]) if words[1] == "-" else Prefix(words[0], words[2])


def _counter(parts: Parts) -> Counter:
    return Counter(parts[2], parts[4]) if len(parts) > 1 else Counter()


def _limit(parts: Parts) -> Limit:
    rest = parts[2:]
    over = rest[0] == "over"
    rest = rest[1:] if over else rest
    unit = "packets" if rest[1] == "/" else rest[1]
    per = rest[rest.index("/") + 1]
    if "burst" in rest:
        burst, burst_unit = rest[-2:]
    else:
        burst, burst_unit = USUAL_BURST.get(unit, 0), "packets" if unit == "packets" else "bytes"
    return Limit(rest[0], unit, per, burst, burst_unit, over)


def _quota(parts: Parts) -> Quota:
    over = parts[1] == "over"
    rest = parts[2:] if isinstance(parts[1], str) else parts[1:]
    used, used_unit = (rest[3], rest[4]) if len(rest) > 2 else (0, "bytes")
    return Quota(rest[0], rest[1], over, used, used_unit)


def _log(parts: Parts) -> Log:
    options = sorted(part for part in parts[1:] if len(part) == 2)
    flags = [flag for part in parts[1:] if len(part) == 1 for flag in part[0]]
    return Log(tuple(options), tuple(flags))


def _log_flags(parts: Parts) -> tuple[list[str]]:
    layer, _, names = parts[1].partition(" ")
    return ([f"{layer} {name}" for name in names.split(",")] if names else [layer],)


def _reject(parts: Parts) -> Reject:
    if len(parts) == 1:
        return Reject()
    return reject_with(parts[2], parts[3] if len(parts) > 3 else None)


def _set_update(parts: Parts) -> SetUpdate:
    operation, target, _, key, *rest = parts
    timeout = data = None
    statements: list[Statement] = []
    for place, part in enumerate(rest):
        previous = rest[place - 1] if place else None
        if previous == "timeout":
            timeout = part
        elif previous == ":":
            data = part
        elif not isinstance(part, str):
            statements.append(part)
    return SetUpdate(operation, target, key, timeout, tuple(statements), data)


def _conntrack(parts: Parts) -> Conntrack:
    return Conntrack(parts[-1], parts[1] if len(parts) == 3 else None)


def _jhash(parts: Parts) -> Hash:
    seed = parts[parts.index("seed") + 1] if "seed" in parts else None
    offset = parts[parts.index("offset") + 1] if "offset" in parts else 0
    return Hash(parts[1], parts[3], seed, offset)


PHRASES: dict[str, Callable[[Parts], Any]] = {
    "line": _line,
    "open_table": lambda parts: Opening("table", parts[2], parts[1]),
    "open_chain": lambda parts: Opening("chain", parts[1]),
    "open_set": lambda parts: Opening("set", parts[1]),
    "open_map": lambda parts: Opening("map", parts[1]),
    "open_object": lambda parts: Opening(parts[0], parts[1]),
    "close": lambda parts: Closing(),
    "base_chain": _base_chain,
    "device": lambda parts: parts[-1] if isinstance(parts[-1], SetLiteral) else SetLiteral((Element(parts[-1]),)),
    "named_priority": _named_priority,
    "plain_priority": _plain_priority,
    "set_types": lambda parts: Types(parts[1], parts[3] if len(parts) > 3 else None),
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
    "wildcard": lambda parts: WILDCARD,
    "key": only,
    "timeout": lambda parts: _Timeout(parts[1]),
    "expires": lambda parts: _Expires(parts[1]),
    "comment": lambda parts: _Comment(parts[1]),
    "option": only,
    "verdict": lambda parts: Verdict(VerdictKind(parts[0])),
    "transfer": lambda parts: Verdict(VerdictKind(parts[0]), parts[1]),
    "match": _match,
    "braces": only,
    "set_name": only,
    "flags": _flags,
    "masks": _flags,
    "masked": lambda parts: _Masked(parts[0], parts[2]),
    "masked_one": lambda parts: _Masked(parts[0], _flags(parts[2:])),
    "verdict_map": lambda parts: VerdictMap(parts[0], parts[2]),
    "mangle": lambda parts: Mangle(parts[0], parts[2]),
    "nat": _nat,
    "local_nat": _local_nat,
    "nat_to": lambda parts: _Target(parts[0], parts[2] if len(parts) > 1 else None),
    "nat_to_port": lambda parts: _Target(None, parts[1]),
    "nat_by": lambda parts: _Target(MapLookup(parts[0], parts[2]) if len(parts) > 1 else parts[0], None),
    "nat_address": _nat_address,
    "nat_port": lambda parts: Range(parts[0], parts[2]) if len(parts) > 1 else parts[0],
    "nat_flags": lambda parts: frozenset(parts[0::2]),
    "counter": _counter,
    "named_counter": lambda parts: Counter(name=parts[2]),
    "limit": _limit,
    "named_limit": lambda parts: Limit(name=parts[2]),
    "quota": _quota,
    "named_quota": lambda parts: Quota(name=parts[2]),
    "count": lambda parts: CountLimit(parts[-1], "over" in parts[2:-1]),
    "log": _log,
    "log_prefix": lambda parts: ("prefix", parts[1]),
    "log_level": lambda parts: ("level", parts[1]),
    "log_number": lambda parts: (parts[0], parts[1]),
    "log_flags": _log_flags,
    "reject": _reject,
    "set_update": _set_update,
    "notrack": lambda parts: Notrack(),
    "flow": lambda parts: FlowOffload(parts[2]),
    "xtables": lambda parts: Xtables(parts[1], parts[2]),
    "concatenation": lambda parts: Concatenation(tuple(parts[0::2])),
    "binary": lambda parts: Binary(parts[1], parts[0], parts[2]),
    "mask_operator": lambda parts: operator_sign(parts[0]),
    "payload": lambda parts: Payload(parts[0], parts[1]),
    "arp_payload": lambda parts: Payload(parts[0], parts[1]),
    "raw_payload": lambda parts: Payload(*parts[0].split(",", 1)),
    "meta": lambda parts: Meta(parts[-1]),
    "conntrack": _conntrack,
    "fib": lambda parts: Fib(tuple(parts[1:-1:2]), parts[-1]),
    "routing": lambda parts: Routing(parts[-1], parts[1] if len(parts) == 3 else None),
    "socket": lambda parts: Socket(parts[1]),
    "numgen": lambda parts: Numgen(parts[1] == "random", parts[3], parts[5] if len(parts) > 4 else 0),
    "jhash": _jhash,
    "symhash": lambda parts: Hash(None, parts[2], None, parts[4] if len(parts) > 3 else 0),
    "extension": lambda parts: ExtensionHeader(parts[1]) if parts[0] == "exthdr" else ExtensionHeader(*parts),
    "tcp_option": lambda parts: ExtensionHeader(f"tcp option {parts[1]}", parts[2] if len(parts) > 2 else None),
    "map_lookup": lambda parts: MapLookup(parts[0], parts[2]),
    "value_concatenation": lambda parts: Concatenation(tuple(parts[0::2])),
    "range": lambda parts: Range(parts[0], parts[2]),
    "slashed": lambda parts: Prefix(parts[0], parts[2]),
    "number": only,
    "hexadecimal": only,
    "text": only,
    "string": only,
    "time": only,
    "word": _word,
}
