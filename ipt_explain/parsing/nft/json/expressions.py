"""The expressions, verdicts and elements of `nft -j`, as libnftables-json(5) describes them.

Anything unknown becomes Unread, with its JSON as text. Depth is bounded: nft nests only a few levels.
"""

from __future__ import annotations

from collections.abc import Callable

from ipt_explain.model import nft
from ipt_explain.parsing.nft.json.words import (
    FAILURES,
    Json,
    constant,
    flags_of,
    maybe_number,
    maybe_text,
    modulus,
    number,
    text,
    unread,
)
from ipt_explain.parsing.nft.normal import usual

_MOST_DEPTH = 24


class _TooDeep(ValueError):
    pass


def element_of(item: Json, line: int = 0) -> nft.Element:
    """One entry of a set's `elem`; those of maps are pairs."""
    try:
        if type(item) is list:
            key, data = item
            return keyed_element(key, _data(data), line)
        return keyed_element(item, None, line)
    except FAILURES:
        return nft.Element(unread(item), line=line)


def keyed_element(item: Json, data: nft.Verdict | nft.Expression | None, line: int) -> nft.Element:
    """An element of a set or map, with its key's attributes."""
    if type(item) is dict and "elem" in item:
        body = item["elem"]
        counter = counter_of(body["counter"]) if "counter" in body else None
        comment = maybe_text(body.get("comment"))
        timeout, expires = maybe_number(body.get("timeout")), maybe_number(body.get("expires"))
        return nft.Element(_key(body["val"]), data, comment, timeout, expires, counter, line)
    return nft.Element(_key(item), data, line=line)


def _key(item: Json) -> nft.Expression:
    return nft.WILDCARD if item == "*" else expression_of(item)


def _data(item: Json) -> nft.Verdict | nft.Expression:
    if type(item) is dict:
        ((name, body),) = item.items()
        if name in VERDICTS:
            return verdict_of(name, body)
    return expression_of(item)


def expression_of(item: Json, depth: int = 0) -> nft.Expression:
    """An expression."""
    kind = type(item)
    if kind is str:
        return nft.SetReference(item[1:]) if item[:1] == "@" else item
    if kind is int or kind is bool:
        return item  # type: ignore[no-any-return]
    if depth > _MOST_DEPTH:
        raise _TooDeep
    if kind is list:
        return nft.Flags(tuple(constant(each) for each in item))
    ((name, body),) = item.items()
    return _EXPRESSIONS[name](body, depth + 1)


def _concat(body: Json, depth: int) -> nft.Concatenation:
    return nft.Concatenation(tuple(expression_of(part, depth) for part in body))


def _binary(sign: str) -> Callable[[Json, int], nft.Expression]:
    def read(body: Json, depth: int) -> nft.Expression:
        if sign == "|" and all(isinstance(part, str) for part in body):
            return nft.Flags(tuple(body))
        left, *rest = body
        expression = expression_of(left, depth)
        if len(rest) > _MOST_DEPTH:
            raise _TooDeep
        for part in rest:
            right = expression_of(part, depth)
            if sign == "|" and isinstance(expression, nft.Flags) and isinstance(right, str):
                expression = nft.Flags((*expression.names, right))
            else:
                expression = nft.Binary(sign, expression, right)
        return expression

    return read


def _set_literal(body: Json, depth: int) -> nft.SetLiteral:
    return nft.SetLiteral(tuple(element_of(item) for item in (body if isinstance(body, list) else [body])))


def _payload(body: Json, depth: int) -> nft.Payload:
    if "protocol" in body:
        return nft.Payload(text(body["protocol"]), text(body["field"]))
    return nft.Payload(f"@{body['base']}", f"{body['offset']},{body['len']}")


def _numgen(body: Json, depth: int) -> nft.Numgen:
    return nft.Numgen(body["mode"] == "random", modulus(body["mod"]), number(body.get("offset", 0)))


def _jhash(body: Json, depth: int) -> nft.Hash:
    return nft.Hash(
        expression_of(body["expr"], depth),
        modulus(body["mod"]),
        maybe_number(body.get("seed")),
        number(body.get("offset", 0)),
    )


def _option(kind: str) -> Callable[[Json, int], nft.ExtensionHeader]:
    return lambda body, depth: nft.ExtensionHeader(f"{kind} {body['name']}", maybe_text(body.get("field")))


def _map(body: Json, depth: int) -> nft.MapLookup:
    key = expression_of(body["key"], depth)
    return nft.MapLookup(key, usual(key, set_data_of(body["data"])))


def set_data_of(item: Json) -> nft.SetData:
    """A set or map, by name or written out."""
    data = expression_of(item)
    if not isinstance(data, (nft.SetReference, nft.SetLiteral)):
        raise ValueError
    return data


def _socket(body: Json, depth: int) -> nft.Socket:
    level = f" level {body['level']}" if "level" in body else ""
    return nft.Socket(text(body["key"]) + level)


_EXPRESSIONS: dict[str, Callable[[Json, int], nft.Expression]] = {
    "payload": _payload,
    "meta": lambda body, depth: nft.Meta(text(body["key"])),
    "concat": _concat,
    "prefix": lambda body, depth: nft.Prefix(constant(body["addr"]), number(body["len"])),
    "range": lambda body, depth: nft.Range(constant(body[0]), constant(body[1])),
    "set": _set_literal,
    "ct": lambda body, depth: nft.Conntrack(text(body["key"]), maybe_text(body.get("dir"))),
    "fib": lambda body, depth: nft.Fib(tuple(map(text, flags_of(body["flags"]))), text(body["result"])),
    "numgen": _numgen,
    "jhash": _jhash,
    "symhash": lambda body, depth: nft.Hash(None, modulus(body["mod"]), None, number(body.get("offset", 0))),
    "rt": lambda body, depth: nft.Routing(text(body["key"]), maybe_text(body.get("family"))),
    "socket": _socket,
    "exthdr": lambda body, depth: nft.ExtensionHeader(text(body["name"]), maybe_text(body.get("field"))),
    **{kind: _option(kind) for kind in ("tcp option", "ip option", "sctp chunk")},
    "map": _map,
    "&": _binary("&"),
    "|": _binary("|"),
    "^": _binary("^"),
    "<<": _binary("<<"),
    ">>": _binary(">>"),
}

VERDICTS = {kind.value: kind for kind in nft.VerdictKind}


def verdict_of(name: str, body: Json) -> nft.Verdict:
    """A verdict, by its name."""
    return nft.Verdict(VERDICTS[name], text(body["target"]) if body else None)


def counter_of(body: Json) -> nft.Counter:
    """A counter, anonymous or named."""
    if isinstance(body, str):
        return nft.Counter(name=body)
    return nft.Counter(number(body["packets"]), number(body["bytes"])) if body else nft.Counter()
