"""Converting phrases of statements: matches, NAT, limits, logs and the like."""

from __future__ import annotations

from typing import Any

from ipt_explain.model import nft
from ipt_explain.parsing.nft.normal import (
    NONE_OF,
    USUAL_BURST,
    implicit_operator,
    none_of,
    reject_with,
    usual,
    usual_target,
)
from ipt_explain.records import Record

Parts = list[Any]
"""The converted parts of a phrase, including keywords, in the order of the text."""


class Masked(Record):
    """`VALUE / MASK` with named bits, which affects both sides of a match."""

    value: nft.Expression
    mask: nft.Expression


class NatTarget(Record):
    """Where NAT leads."""

    address: nft.Expression | None
    port: nft.Expression | None


def match(parts: Parts) -> nft.Match:
    """A match, with its operator or the implied one."""
    left, right = parts[0], usual(parts[0], parts[-1])
    if len(parts) == 3 and parts[1] == NONE_OF:
        return none_of(left, right)
    operator = nft.Operator(parts[1]) if len(parts) == 3 else None
    if isinstance(right, Masked):
        mask, value = usual(left, right.mask), usual(left, right.value)
        return nft.Match(nft.Binary("&", left, mask), operator or nft.Operator.EQUAL, value)
    if isinstance(right, nft.Prefix) and isinstance(right.length, str):
        return nft.Match(nft.Binary("&", left, right.length), operator or nft.Operator.EQUAL, right.base)
    return nft.Match(left, operator or implicit_operator(left, right), right)


def flags(parts: Parts) -> nft.Expression:
    """Named bits."""
    names = tuple(part for part in parts if part not in (",", "|", "(", ")"))
    return names[0] if len(names) == 1 else nft.Flags(names)


def nat(parts: Parts) -> nft.Nat:
    """`dnat`, `snat`."""
    target: NatTarget = next(part for part in parts if isinstance(part, NatTarget))
    flags = next((part for part in parts if isinstance(part, frozenset)), frozenset())
    family = parts[1] if parts[1] in ("ip", "ip6") else None
    address, port = usual_target(target.address), usual_target(target.port)
    return nft.Nat(nft.NatKind(parts[0]), address, port, flags, family, "prefix" in parts[1:4])


def local_nat(parts: Parts) -> nft.Nat:
    """`masquerade`, `redirect`."""
    flags = next((part for part in parts if isinstance(part, frozenset)), frozenset())
    port = parts[3] if len(parts) > 3 and parts[1] == "to" else None
    return nft.Nat(nft.NatKind(parts[0]), None, usual_target(port), flags)


def nat_address(parts: Parts) -> nft.Expression:
    """The target of NAT: an address, a range, a prefix."""
    words = [part for part in parts if part not in ("[", "]")]
    if len(words) == 1:
        return words[0]  # type: ignore[no-any-return]
    return nft.Range(words[0], words[2]) if words[1] == "-" else nft.Prefix(words[0], words[2])


def counter(parts: Parts) -> nft.Counter:
    """A counter with its numbers."""
    return nft.Counter(parts[2], parts[4]) if len(parts) > 1 else nft.Counter()


def limit(parts: Parts) -> nft.Limit:
    """A rate limit."""
    rest = parts[2:]
    over = rest[0] == "over"
    rest = rest[1:] if over else rest
    unit = "packets" if rest[1] == "/" else rest[1]
    per = rest[rest.index("/") + 1]
    if "burst" in rest:
        burst, burst_unit = rest[-2:]
    else:
        burst, burst_unit = USUAL_BURST.get(unit, 0), "packets" if unit == "packets" else "bytes"
    return nft.Limit(rest[0], unit, per, burst, burst_unit, over)


def quota(parts: Parts) -> nft.Quota:
    """A quota."""
    over = parts[1] == "over"
    rest = parts[2:] if isinstance(parts[1], str) else parts[1:]
    used, used_unit = (rest[3], rest[4]) if len(rest) > 2 else (0, "bytes")
    return nft.Quota(rest[0], rest[1], over, used, used_unit)


def log(parts: Parts) -> nft.Log:
    """A log statement."""
    options = sorted(part for part in parts[1:] if len(part) == 2)
    flags = [flag for part in parts[1:] if len(part) == 1 for flag in part[0]]
    return nft.Log(tuple(options), tuple(flags))


def log_flags(parts: Parts) -> tuple[list[str]]:
    """The flags of a log statement."""
    layer, _, names = parts[1].partition(" ")
    return ([f"{layer} {name}" for name in names.split(",")] if names else [layer],)


def reject(parts: Parts) -> nft.Reject:
    """A reject statement."""
    if len(parts) == 1:
        return nft.Reject()
    # nft up to 1.0.0 says `icmp type`.
    return reject_with(parts[2].removesuffix(" type"), parts[3] if len(parts) > 3 else None)


def set_update(parts: Parts) -> nft.SetUpdate:
    """A statement that adds, updates or deletes an element."""
    operation, target, _, key, *rest = parts
    timeout = data = None
    statements: list[nft.Statement] = []
    for place, part in enumerate(rest):
        previous = rest[place - 1] if place else None
        if previous == "timeout":
            timeout = part
        elif previous == ":":
            data = part
        elif not isinstance(part, str):
            statements.append(part)
    return nft.SetUpdate(operation, target, key, timeout, tuple(statements), data)
