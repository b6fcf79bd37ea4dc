"""The expressions, verdicts and elements of `nft -j`, as libnftables-json(5) describes them.

Anything unknown becomes Unread, with its JSON as text. Depth is bounded: nft nests only a few levels.
"""

from __future__ import annotations

from collections.abc import Callable

from ipt_explain.model.nft import (
    WILDCARD,
    Binary,
    Concatenation,
    Conntrack,
    Counter,
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
    SetData,
    SetLiteral,
    SetReference,
    Socket,
    Verdict,
    VerdictKind,
)
from ipt_explain.parsing.nft.json.words import (
    FAILURES,
    Json,
    constant,
    maybe_number,
    maybe_text,
    modulus,
    number,
    several,
    text,
    unread,
)

_MOST_DEPTH = 24


class _TooDeep(ValueError):
    pass


def element_of(item: Json, line: int = 0) -> Element:
    """One entry of a set's `elem`; those of maps are pairs."""
    try:
        if type(item) is list:
            key, data = item
            return keyed_element(key, _data(data), line)
        return keyed_element(item, None, line)
    except FAILURES:
        return Element(unread(item), line=line)


def keyed_element(item: Json, data: Verdict | Expression | None, line: int) -> Element:
    """An element of a set or map, with its key's attributes."""
    if type(item) is dict and "elem" in item:
        body = item["elem"]
        counter = counter_of(body["counter"]) if "counter" in body else None
        comment = maybe_text(body.get("comment"))
        timeout, expires = maybe_number(body.get("timeout")), maybe_number(body.get("expires"))
        return Element(_key(body["val"]), data, comment, timeout, expires, counter, line)
    return Element(_key(item), data, line=line)


def _key(item: Json) -> Expression:
    return WILDCARD if item == "*" else expression_of(item)


def _data(item: Json) -> Verdict | Expression:
    if type(item) is dict:
        ((name, body),) = item.items()
        if name in VERDICTS:
            return verdict_of(name, body)
    return expression_of(item)


def expression_of(item: Json, depth: int = 0) -> Expression:
    """An expression."""
    kind = type(item)
    if kind is str:
        return SetReference(item[1:]) if item[:1] == "@" else item
    if kind is int or kind is bool:
        return item  # type: ignore[no-any-return]
    if depth > _MOST_DEPTH:
        raise _TooDeep
    if kind is list:
        return Flags(tuple(constant(each) for each in item))
    ((name, body),) = item.items()
    return _EXPRESSIONS[name](body, depth + 1)


def _concat(body: Json, depth: int) -> Concatenation:
    return Concatenation(tuple(expression_of(part, depth) for part in body))


def _binary(sign: str) -> Callable[[Json, int], Expression]:
    def read(body: Json, depth: int) -> Expression:
        if sign == "|" and all(isinstance(part, str) for part in body):
            return Flags(tuple(body))
        left, *rest = body
        expression = expression_of(left, depth)
        if len(rest) > _MOST_DEPTH:
            raise _TooDeep
        for part in rest:
            right = expression_of(part, depth)
            if sign == "|" and isinstance(expression, Flags) and isinstance(right, str):
                expression = Flags((*expression.names, right))
            else:
                expression = Binary(sign, expression, right)
        return expression

    return read


def _set_literal(body: Json, depth: int) -> SetLiteral:
    return SetLiteral(tuple(element_of(item) for item in (body if isinstance(body, list) else [body])))


def _payload(body: Json, depth: int) -> Payload:
    if "protocol" in body:
        return Payload(text(body["protocol"]), text(body["field"]))
    return Payload(f"@{body['base']}", f"{body['offset']},{body['len']}")


def _numgen(body: Json, depth: int) -> Numgen:
    return Numgen(body["mode"] == "random", modulus(body["mod"]), number(body.get("offset", 0)))


def _jhash(body: Json, depth: int) -> Hash:
    return Hash(
        expression_of(body["expr"], depth),
        modulus(body["mod"]),
        maybe_number(body.get("seed")),
        number(body.get("offset", 0)),
    )


def _tcp_option(body: Json, depth: int) -> ExtensionHeader:
    return ExtensionHeader(f"tcp option {body['name']}", maybe_text(body.get("field")))


def _map(body: Json, depth: int) -> MapLookup:
    return MapLookup(expression_of(body["key"], depth), set_data_of(body["data"]))


def set_data_of(item: Json) -> SetData:
    """A set or map, by name or written out."""
    data = expression_of(item)
    if not isinstance(data, (SetReference, SetLiteral)):
        raise ValueError
    return data


def _socket(body: Json, depth: int) -> Socket:
    level = f" level {body['level']}" if "level" in body else ""
    return Socket(text(body["key"]) + level)


_EXPRESSIONS: dict[str, Callable[[Json, int], Expression]] = {
    "payload": _payload,
    "meta": lambda body, depth: Meta(text(body["key"])),
    "concat": _concat,
    "prefix": lambda body, depth: Prefix(constant(body["addr"]), number(body["len"])),
    "range": lambda body, depth: Range(constant(body[0]), constant(body[1])),
    "set": _set_literal,
    "ct": lambda body, depth: Conntrack(text(body["key"]), maybe_text(body.get("dir"))),
    "fib": lambda body, depth: Fib(tuple(map(text, several(body["flags"]))), text(body["result"])),
    "numgen": _numgen,
    "jhash": _jhash,
    "symhash": lambda body, depth: Hash(None, modulus(body["mod"]), None, number(body.get("offset", 0))),
    "rt": lambda body, depth: Routing(text(body["key"]), maybe_text(body.get("family"))),
    "socket": _socket,
    "exthdr": lambda body, depth: ExtensionHeader(text(body["name"]), maybe_text(body.get("field"))),
    "tcp option": _tcp_option,
    "map": _map,
    "&": _binary("&"),
    "|": _binary("|"),
    "^": _binary("^"),
    "<<": _binary("<<"),
    ">>": _binary(">>"),
}


VERDICTS = {kind.value: kind for kind in VerdictKind}


def verdict_of(name: str, body: Json) -> Verdict:
    """A verdict, by its name."""
    return Verdict(VERDICTS[name], text(body["target"]) if body else None)


def counter_of(body: Json) -> Counter:
    """A counter, anonymous or named."""
    if isinstance(body, str):
        return Counter(name=body)
    return Counter(number(body["packets"]), number(body["bytes"])) if body else Counter()
