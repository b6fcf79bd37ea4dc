"""Statements and expressions as nft 1.1 prints them, except that marks and other numbers may be in another base."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ipt_explain.model.nft.expressions import (
    Binary,
    Concatenation,
    Conntrack,
    Element,
    Expression,
    ExtensionHeader,
    Fib,
    Flags,
    Hash,
    MapLookup,
    Meta,
    Numgen,
    Payload,
    Prefix,
    Range,
    Routing,
    SetLiteral,
    SetReference,
    Socket,
    Unread,
    Wildcard,
)
from ipt_explain.model.nft.statements import (
    Aside,
    CountLimit,
    FlowOffload,
    Limit,
    Log,
    Mangle,
    Match,
    Nat,
    Notrack,
    Operator,
    Quota,
    Reject,
    SetUpdate,
    Statement,
    VerdictMap,
    Xtables,
)
from ipt_explain.model.nft.verdicts import Counter, Verdict

_UNQUALIFIED = frozenset({
    "iif", "iifname", "iifgroup", "iiftype", "oif", "oifname", "oifgroup", "oiftype", "ibrname", "obrname",
})  # fmt: skip
_QUOTED = frozenset({"iif", "iifname", "oif", "oifname", "ibrname", "obrname", "sdifname", "day", "hour", "time"})
_MARKS = (Meta("mark"), Conntrack("mark"), Socket("mark"))
_USUAL_BURST = 5


def rule_text(statements: Iterable[Statement], comment: str | None) -> str:
    """A rule's statements and comment."""
    words = [statement_text(statement) for statement in statements]
    if comment is not None:
        words.append(f'comment "{comment}"')
    return " ".join(words)


def statement_text(statement: Statement) -> str:
    """One statement."""
    return _STATEMENTS[type(statement)](statement)


def expression_text(expression: Expression, beside: Expression | None = None) -> str:
    """One expression; `beside` is what it is compared with or written to, which decides how constants are printed."""
    if isinstance(expression, bool):
        return "exists" if expression else "missing"
    if isinstance(expression, int):
        marked = beside in _MARKS or (isinstance(beside, Binary) and beside.left in _MARKS)
        return f"0x{expression:08x}" if marked else str(expression)
    if isinstance(expression, str):
        if isinstance(beside, Meta) and beside.key in _QUOTED:
            return f'"{expression}"'
        quoted = isinstance(beside, Conntrack) and beside.key == "helper"
        return f'"{expression}"' if quoted else expression
    if isinstance(expression, Prefix):
        return f"{expression_text(expression.base, beside)}/{expression.length}"
    if isinstance(expression, Range):
        return f"{expression_text(expression.first, beside)}-{expression_text(expression.last, beside)}"
    if isinstance(expression, SetLiteral):
        return f"{{ {', '.join(element_text(element, beside) for element in expression.elements)} }}"
    if isinstance(expression, Concatenation):
        sides = beside.parts if isinstance(beside, Concatenation) else (None,) * len(expression.parts)
        return " . ".join(map(expression_text, expression.parts, sides))
    return _EXPRESSIONS[type(expression)](expression)


def element_text(element: Element, beside: Expression | None = None) -> str:
    """One element of a set or map."""
    words = [expression_text(element.key, beside)]
    if element.timeout is not None:
        words.append(f"timeout {element.timeout}s")
    if element.expires is not None:
        words.append(f"expires {element.expires}s")
    if element.counter is not None:
        words.append(statement_text(element.counter))
    if element.comment is not None:
        words.append(f'comment "{element.comment}"')
    if element.data is not None:
        data = element.data
        words += [":", statement_text(data) if isinstance(data, Verdict) else expression_text(data)]
    return " ".join(words)


def _match(match: Match) -> str:
    operator = "" if match.operator in (Operator.EQUAL, Operator.IN) else f"{match.operator.value} "
    left, right = match.left, match.right
    if isinstance(left, Binary):
        if left.left == Payload("tcp", "flags") and left.operator == "&":
            mask = expression_text(left.right)
            return f"{expression_text(left.left)} {operator}{expression_text(right)} / {mask}"
        operator = f"{match.operator.value} "
    return f"{expression_text(left)} {operator}{expression_text(right, left)}"


def _nat(nat: Nat) -> str:
    words = [nat.kind.value]
    if nat.family is not None:
        words.append(nat.family)
    if nat.prefix:
        words.append("prefix")
    if nat.address is not None or nat.port is not None:
        words += ["to", _nat_target(nat.address, nat.port)]
    if nat.flags:
        words.append(",".join(sorted(nat.flags)))
    return " ".join(words)


def _nat_target(address: Expression | None, port: Expression | None) -> str:
    host = "" if address is None else expression_text(address)
    if port is None:
        return host
    return f"[{host}]:{expression_text(port)}" if ":" in host else f"{host}:{expression_text(port)}"


def _limit(limit: Limit) -> str:
    if limit.name is not None:
        return f'limit name "{limit.name}"'
    over = "over " if limit.over else ""
    unit = "" if limit.unit == "packets" else f" {limit.unit}"
    usual = limit.burst == (_USUAL_BURST if limit.unit == "packets" else 0)
    burst = "" if usual else f" burst {limit.burst} {limit.burst_unit}"
    return f"limit rate {over}{limit.rate}{unit}/{limit.per}{burst}"


def _quota(quota: Quota) -> str:
    if quota.name is not None:
        return f'quota name "{quota.name}"'
    used = f" used {quota.used} {quota.used_unit}" if quota.used else ""
    return f"quota {'over ' if quota.over else ''}{quota.amount} {quota.unit}{used}"


def _counter(counter: Counter) -> str:
    if counter.name is not None:
        return f'counter name "{counter.name}"'
    return "counter" if counter.packets is None else f"counter packets {counter.packets} bytes {counter.bytes}"


def _log(log: Log) -> str:
    words = ["log"]
    for name, value in log.options:
        words += [name, f'"{value}"' if name == "prefix" else str(value)]
    words += [f"flags {flag}" for flag in log.flags]
    return " ".join(words)


def _reject(reject: Reject) -> str:
    words = ["reject"]
    if reject.kind is not None:
        words += ["with", reject.kind]
        if reject.code is not None:
            words.append(str(reject.code))
    return " ".join(words)


def _set_update(update: SetUpdate) -> str:
    words = [expression_text(update.key)]
    if update.timeout is not None:
        words.append(f"timeout {update.timeout}s")
    words += map(statement_text, update.statements)
    if update.data is not None:
        words += [":", expression_text(update.data)]
    return f"{update.operation} {expression_text(update.target)} {{ {' '.join(words)} }}"


def _verdict(verdict: Verdict) -> str:
    return verdict.kind.value if verdict.chain is None else f"{verdict.kind.value} {verdict.chain}"


def _numgen(numgen: Numgen) -> str:
    offset = f" offset {numgen.offset}" if numgen.offset else ""
    return f"numgen {'random' if numgen.random else 'inc'} mod {numgen.modulus}{offset}"


def _hash(given: Hash) -> str:
    start = "symhash" if given.argument is None else f"jhash {expression_text(given.argument)}"
    seed = "" if given.seed is None else f" seed 0x{given.seed:x}"
    offset = f" offset {given.offset}" if given.offset else ""
    return f"{start} mod {given.modulus}{seed}{offset}"


def _words(*words: str | None) -> str:
    return " ".join(word for word in words if word)


_EXPRESSIONS: dict[type, Callable[[Any], str]] = {
    Wildcard: lambda wildcard: "*",
    Payload: lambda one: f"{one.protocol}{',' if one.protocol.startswith('@') else ' '}{one.field}",
    Meta: lambda meta: meta.key if meta.key in _UNQUALIFIED else f"meta {meta.key}",
    Conntrack: lambda one: _words("ct", one.direction, one.key),
    Fib: lambda fib: f"fib {' . '.join(fib.flags)} {fib.result}",
    Routing: lambda one: _words("rt", one.family, one.key),
    Socket: lambda one: f"socket {one.key}",
    ExtensionHeader: lambda one: _words(*(() if one.field or " " in one.name else ("exthdr",)), one.name, one.field),
    Numgen: _numgen,
    Hash: _hash,
    Binary: lambda one: f"{expression_text(one.left)} {one.operator} {expression_text(one.right, one.left)}",
    Flags: lambda flags: ",".join(map(str, flags.names)),
    SetReference: lambda reference: f"@{reference.name}",
    MapLookup: lambda one: f"{expression_text(one.key)} map {expression_text(one.data, one.key)}",
    Unread: lambda unread: unread.text,
}

_STATEMENTS: dict[type, Callable[[Any], str]] = {
    Match: _match,
    VerdictMap: lambda one: f"{expression_text(one.key)} vmap {expression_text(one.data, one.key)}",
    Verdict: _verdict,
    Nat: _nat,
    Mangle: lambda one: f"{expression_text(one.target)} set {expression_text(one.value, one.target)}",
    Counter: _counter,
    Limit: _limit,
    Quota: _quota,
    CountLimit: lambda one: f"ct count {'over ' if one.over else ''}{one.count}",
    Log: _log,
    Reject: _reject,
    SetUpdate: _set_update,
    Notrack: lambda one: "notrack",
    Aside: lambda one: one.text,
    FlowOffload: lambda one: f"flow add {expression_text(one.table)}",
    Xtables: lambda one: f'xt {one.kind} "{one.name}"',
    Unread: lambda one: one.text,
}
