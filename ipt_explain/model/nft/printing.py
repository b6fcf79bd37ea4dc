"""Statements and expressions as nft 1.1 prints them, except that marks and other numbers may be in another base."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ipt_explain.model import nft

_UNQUALIFIED = frozenset({
    "iif", "iifname", "iifgroup", "iiftype", "oif", "oifname", "oifgroup", "oiftype", "ibrname", "obrname",
})  # fmt: skip
_QUOTED = frozenset({"iif", "iifname", "oif", "oifname", "ibrname", "obrname", "sdifname", "day", "hour", "time"})
_MARKS = (nft.Meta("mark"), nft.Conntrack("mark"), nft.Socket("mark"))
_USUAL_BURST = 5


def rule_text(statements: Iterable[nft.Statement], comment: str | None) -> str:
    """A rule's statements and comment."""
    words = [statement_text(statement) for statement in statements]
    if comment is not None:
        words.append(f'comment "{comment}"')
    return " ".join(words)


def statement_text(statement: nft.Statement) -> str:
    """One statement."""
    return _STATEMENTS[type(statement)](statement)


def expression_text(expression: nft.Expression, beside: nft.Expression | None = None) -> str:
    """One expression; `beside` is what it is compared with or written to, which decides how constants are printed."""
    if isinstance(expression, bool):
        return "exists" if expression else "missing"
    if isinstance(expression, int):
        marked = beside in _MARKS or (isinstance(beside, nft.Binary) and beside.left in _MARKS)
        return f"0x{expression:08x}" if marked else str(expression)
    if isinstance(expression, str):
        if isinstance(beside, nft.Meta) and beside.key in _QUOTED:
            return f'"{expression}"'
        quoted = isinstance(beside, nft.Conntrack) and beside.key == "helper"
        return f'"{expression}"' if quoted else expression
    if isinstance(expression, nft.Prefix):
        return f"{expression_text(expression.base, beside)}/{expression.length}"
    if isinstance(expression, nft.Range):
        return f"{expression_text(expression.first, beside)}-{expression_text(expression.last, beside)}"
    if isinstance(expression, nft.SetLiteral):
        return f"{{ {', '.join(element_text(element, beside) for element in expression.elements)} }}"
    if isinstance(expression, nft.Concatenation):
        sides = beside.parts if isinstance(beside, nft.Concatenation) else (None,) * len(expression.parts)
        return " . ".join(map(expression_text, expression.parts, sides))
    return _EXPRESSIONS[type(expression)](expression)


def element_text(element: nft.Element, beside: nft.Expression | None = None) -> str:
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
        words += [":", statement_text(data) if isinstance(data, nft.Verdict) else expression_text(data)]
    return " ".join(words)


def _match(match: nft.Match) -> str:
    operator = "" if match.operator in (nft.Operator.EQUAL, nft.Operator.IN) else f"{match.operator.value} "
    left, right = match.left, match.right
    if isinstance(left, nft.Binary):
        if left.left == nft.Payload("tcp", "flags") and left.operator == "&":
            mask = expression_text(left.right)
            return f"{expression_text(left.left)} {operator}{expression_text(right)} / {mask}"
        operator = f"{match.operator.value} "
    return f"{expression_text(left)} {operator}{expression_text(right, left)}"


def _nat(nat: nft.Nat) -> str:
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


def _nat_target(address: nft.Expression | None, port: nft.Expression | None) -> str:
    host = "" if address is None else expression_text(address)
    if port is None:
        return host
    return f"[{host}]:{expression_text(port)}" if ":" in host else f"{host}:{expression_text(port)}"


def _limit(limit: nft.Limit) -> str:
    if limit.name is not None:
        return f'limit name "{limit.name}"'
    over = "over " if limit.over else ""
    unit = "" if limit.unit == "packets" else f" {limit.unit}"
    usual = limit.burst == (_USUAL_BURST if limit.unit == "packets" else 0)
    burst = "" if usual else f" burst {limit.burst} {limit.burst_unit}"
    return f"limit rate {over}{limit.rate}{unit}/{limit.per}{burst}"


def _quota(quota: nft.Quota) -> str:
    if quota.name is not None:
        return f'quota name "{quota.name}"'
    used = f" used {quota.used} {quota.used_unit}" if quota.used else ""
    return f"quota {'over ' if quota.over else ''}{quota.amount} {quota.unit}{used}"


def _counter(counter: nft.Counter) -> str:
    if counter.name is not None:
        return f'counter name "{counter.name}"'
    return "counter" if counter.packets is None else f"counter packets {counter.packets} bytes {counter.bytes}"


def _log(log: nft.Log) -> str:
    words = ["log"]
    for name, value in log.options:
        words += [name, f'"{value}"' if name == "prefix" else str(value)]
    words += [f"flags {flag}" for flag in log.flags]
    return " ".join(words)


def _reject(reject: nft.Reject) -> str:
    words = ["reject"]
    if reject.kind is not None:
        words += ["with", reject.kind]
        if reject.code is not None:
            words.append(str(reject.code))
    return " ".join(words)


def _set_update(update: nft.SetUpdate) -> str:
    words = [expression_text(update.key)]
    if update.timeout is not None:
        words.append(f"timeout {update.timeout}s")
    words += map(statement_text, update.statements)
    if update.data is not None:
        words += [":", expression_text(update.data)]
    return f"{update.operation} {expression_text(update.target)} {{ {' '.join(words)} }}"


def _verdict(verdict: nft.Verdict) -> str:
    return verdict.kind.value if verdict.chain is None else f"{verdict.kind.value} {verdict.chain}"


def _numgen(numgen: nft.Numgen) -> str:
    offset = f" offset {numgen.offset}" if numgen.offset else ""
    return f"numgen {'random' if numgen.random else 'inc'} mod {numgen.modulus}{offset}"


def _hash(given: nft.Hash) -> str:
    start = "symhash" if given.argument is None else f"jhash {expression_text(given.argument)}"
    seed = "" if given.seed is None else f" seed 0x{given.seed:x}"
    offset = f" offset {given.offset}" if given.offset else ""
    return f"{start} mod {given.modulus}{seed}{offset}"


def _words(*words: str | None) -> str:
    return " ".join(word for word in words if word)


_EXPRESSIONS: dict[type, Callable[[Any], str]] = {
    nft.Wildcard: lambda wildcard: "*",
    nft.Payload: lambda one: f"{one.protocol}{',' if one.protocol.startswith('@') else ' '}{one.field}",
    nft.Meta: lambda meta: meta.key if meta.key in _UNQUALIFIED else f"meta {meta.key}",
    nft.Conntrack: lambda one: _words("ct", one.direction, one.key),
    nft.Fib: lambda fib: f"fib {' . '.join(fib.flags)} {fib.result}",
    nft.Routing: lambda one: _words("rt", one.family, one.key),
    nft.Socket: lambda one: f"socket {one.key}",
    nft.ExtensionHeader: lambda one: _words(None if one.field or " " in one.name else "exthdr", one.name, one.field),
    nft.Numgen: _numgen,
    nft.Hash: _hash,
    nft.Binary: lambda one: f"{expression_text(one.left)} {one.operator} {expression_text(one.right, one.left)}",
    nft.Flags: lambda flags: ",".join(map(str, flags.names)),
    nft.SetReference: lambda reference: f"@{reference.name}",
    nft.MapLookup: lambda one: f"{expression_text(one.key)} map {expression_text(one.data, one.key)}",
    nft.Unread: lambda unread: unread.text,
}

_STATEMENTS: dict[type, Callable[[Any], str]] = {
    nft.Match: _match,
    nft.VerdictMap: lambda one: f"{expression_text(one.key)} vmap {expression_text(one.data, one.key)}",
    nft.Verdict: _verdict,
    nft.Nat: _nat,
    nft.Mangle: lambda one: f"{expression_text(one.target)} set {expression_text(one.value, one.target)}",
    nft.Counter: _counter,
    nft.Limit: _limit,
    nft.Quota: _quota,
    nft.CountLimit: lambda one: f"ct count {'over ' if one.over else ''}{one.count}",
    nft.Log: _log,
    nft.Reject: _reject,
    nft.SetUpdate: _set_update,
    nft.Notrack: lambda one: "notrack",
    nft.FlowOffload: lambda one: f"flow add {expression_text(one.table)}",
    nft.Xtables: lambda one: f'xt {one.kind} "{one.name}"',
    nft.Unread: lambda one: one.text,
}
