"""The statements and expressions of `nft -j`, as libnftables-json(5) describes them.

What is not known here becomes Unread, with its JSON as text. Depth is bounded: nft nests a few levels.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from ipt_explain.model.nft import (
    WILDCARD,
    Binary,
    Concatenation,
    Conntrack,
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
    SetData,
    SetLiteral,
    SetReference,
    SetUpdate,
    Socket,
    Statement,
    Unread,
    Verdict,
    VerdictKind,
    VerdictMap,
    Xtables,
)
from ipt_explain.parsing.nft.normal import USUAL_BURST, reject_with

Json = Any
"""What the json module makes of a document."""

_MOST_DEPTH = 24
_Failure = (KeyError, ValueError, TypeError, AttributeError, IndexError)


class _TooDeep(ValueError):
    pass


def statement_of(item: Json) -> Statement:
    """One entry of a rule's `expr`."""
    try:
        ((name, body),) = item.items()
        return _STATEMENTS[name](body)
    except _Failure:
        return unread(item)


def element_of(item: Json, line: int = 0) -> Element:
    """One entry of a set's `elem`; those of maps are pairs."""
    try:
        if type(item) is list:
            key, data = item
            return _element(key, _data(data), line)
        return _element(item, None, line)
    except _Failure:
        return Element(unread(item), line=line)


def unread(item: Json) -> Unread:
    """What is not known, as text."""
    return Unread(json.dumps(item, ensure_ascii=False))


def _element(item: Json, data: Verdict | Expression | None, line: int) -> Element:
    if type(item) is dict and "elem" in item:
        body = item["elem"]
        counter = _counter(body["counter"]) if "counter" in body else None
        comment = _maybe_text(body.get("comment"))
        timeout, expires = _maybe_number(body.get("timeout")), _maybe_number(body.get("expires"))
        return Element(_key(body["val"]), data, comment, timeout, expires, counter, line)
    return Element(_key(item), data, line=line)


def _key(item: Json) -> Expression:
    return WILDCARD if item == "*" else _expression(item)


def _data(item: Json) -> Verdict | Expression:
    if type(item) is dict:
        ((name, body),) = item.items()
        if name in _VERDICTS:
            return _verdict(name, body)
    return _expression(item)


def _expression(item: Json, depth: int = 0) -> Expression:
    kind = type(item)
    if kind is str:
        return SetReference(item[1:]) if item[:1] == "@" else item
    if kind is int or kind is bool:
        return item  # type: ignore[no-any-return]
    if depth > _MOST_DEPTH:
        raise _TooDeep
    if kind is list:
        return Flags(tuple(_constant(each) for each in item))
    ((name, body),) = item.items()
    return _EXPRESSIONS[name](body, depth + 1)


def _constant(item: Json) -> int | str:
    if not isinstance(item, (int, str)):
        raise ValueError
    return item


def _text(item: Json) -> str:
    if not isinstance(item, str):
        raise ValueError
    return item


def _maybe_text(item: Json) -> str | None:
    return None if item is None else _text(item)


def _number(item: Json) -> int:
    if not isinstance(item, int) or item < 0:
        raise ValueError
    return item


def _modulus(item: Json) -> int:
    if _number(item) == 0:
        raise ValueError
    return _number(item)


def _maybe_number(item: Json) -> int | None:
    return None if item is None else _number(item)


def _concat(body: Json, depth: int) -> Concatenation:
    return Concatenation(tuple(_expression(part, depth) for part in body))


def _binary(sign: str) -> Callable[[Json, int], Expression]:
    def read(body: Json, depth: int) -> Expression:
        if sign == "|" and all(isinstance(part, str) for part in body):
            return Flags(tuple(body))
        left, *rest = body
        expression = _expression(left, depth)
        if len(rest) > _MOST_DEPTH:
            raise _TooDeep
        for part in rest:
            right = _expression(part, depth)
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
        return Payload(_text(body["protocol"]), _text(body["field"]))
    return Payload(f"@{body['base']}", f"{body['offset']},{body['len']}")


def _numgen(body: Json, depth: int) -> Numgen:
    return Numgen(body["mode"] == "random", _modulus(body["mod"]), _number(body.get("offset", 0)))


def _jhash(body: Json, depth: int) -> Hash:
    return Hash(
        _expression(body["expr"], depth),
        _modulus(body["mod"]),
        _maybe_number(body.get("seed")),
        _number(body.get("offset", 0)),
    )


def _tcp_option(body: Json, depth: int) -> ExtensionHeader:
    return ExtensionHeader(f"tcp option {body['name']}", _maybe_text(body.get("field")))


def _map(body: Json, depth: int) -> MapLookup:
    return MapLookup(_expression(body["key"], depth), _set_data(body["data"]))


def _set_data(item: Json) -> SetData:
    data = _expression(item)
    if not isinstance(data, (SetReference, SetLiteral)):
        raise ValueError
    return data


def _socket(body: Json, depth: int) -> Socket:
    level = f" level {body['level']}" if "level" in body else ""
    return Socket(_text(body["key"]) + level)


_EXPRESSIONS: dict[str, Callable[[Json, int], Expression]] = {
    "payload": _payload,
    "meta": lambda body, depth: Meta(_text(body["key"])),
    "concat": _concat,
    "prefix": lambda body, depth: Prefix(_constant(body["addr"]), _number(body["len"])),
    "range": lambda body, depth: Range(_constant(body[0]), _constant(body[1])),
    "set": _set_literal,
    "ct": lambda body, depth: Conntrack(_text(body["key"]), _maybe_text(body.get("dir"))),
    "fib": lambda body, depth: Fib(tuple(map(_text, _list(body["flags"]))), _text(body["result"])),
    "numgen": _numgen,
    "jhash": _jhash,
    "symhash": lambda body, depth: Hash(None, _modulus(body["mod"]), None, _number(body.get("offset", 0))),
    "rt": lambda body, depth: Routing(_text(body["key"]), _maybe_text(body.get("family"))),
    "socket": _socket,
    "exthdr": lambda body, depth: ExtensionHeader(_text(body["name"]), _maybe_text(body.get("field"))),
    "tcp option": _tcp_option,
    "map": _map,
    "&": _binary("&"),
    "|": _binary("|"),
    "^": _binary("^"),
    "<<": _binary("<<"),
    ">>": _binary(">>"),
}


def _list(item: Json) -> list[str]:
    """Flags: nft prints one as a string, several as a list; nft 1.1.7 always as a list."""
    return item if isinstance(item, list) else [item]


def _match(body: Json) -> Match:
    left = _expression(body["left"])
    right = _expression(body["right"])
    # Indexes of interfaces, realms and groups are strings in JSON, numbers in text.
    if type(right) is str and right.isdecimal() and not (isinstance(left, Meta) and left.key.endswith("name")):
        right = int(right)
    operator = Operator(body["op"])
    return Match(left, operator, right)


_VERDICTS = {kind.value: kind for kind in VerdictKind}


def _verdict(name: str, body: Json) -> Verdict:
    return Verdict(_VERDICTS[name], _text(body["target"]) if body else None)


def _nat(kind: NatKind) -> Callable[[Json], Nat]:
    def read(body: Json) -> Nat:
        if body is None:
            return Nat(kind)
        flags = frozenset(map(_text, _list(body.get("flags", [])))) - {"netmap"}
        address = _expression(body["addr"]) if "addr" in body else None
        port = _expression(body["port"]) if "port" in body else None
        prefix = "prefix" in _list(body.get("type_flags", []))
        return Nat(kind, address, port, flags, _maybe_text(body.get("family")), prefix)

    return read


def _counter(body: Json) -> Counter:
    if isinstance(body, str):
        return Counter(name=body)
    return Counter(_number(body["packets"]), _number(body["bytes"])) if body else Counter()


def _limit(body: Json) -> Limit:
    if isinstance(body, str):
        return Limit(name=body)
    unit = body.get("rate_unit", "packets")
    burst_unit = body.get("burst_unit", "packets" if unit == "packets" else "bytes")
    burst = _number(body.get("burst", USUAL_BURST.get(unit, 0)))
    over = bool(body.get("inv"))
    return Limit(_number(body["rate"]), _text(unit), _text(body["per"]), burst, _text(burst_unit), over)


def _quota(body: Json) -> Quota:
    if isinstance(body, str):
        return Quota(name=body)
    used, used_unit = _number(body.get("used", 0)), _text(body.get("used_unit", "bytes"))
    return Quota(_number(body["val"]), _text(body.get("val_unit", "bytes")), bool(body.get("inv")), used, used_unit)


def _log(body: Json) -> Log:
    if body is None:
        return Log()
    options = sorted((name, _constant(value)) for name, value in body.items() if name != "flags")
    return Log(tuple(options), tuple(map(_text, _list(body.get("flags", [])))))


def _reject(body: Json) -> Reject:
    return Reject() if body is None else reject_with(_maybe_text(body.get("type")), _maybe_text(body.get("expr")))


def _set_update(body: Json) -> SetUpdate:
    element = _element(body["elem"], None, 0)
    target = _expression(body["set"] if "set" in body else body["map"])
    if not isinstance(target, SetReference):
        raise ValueError
    data = _expression(body["data"]) if "data" in body else None
    statements = tuple(statement_of(item) for item in body.get("stmt", ()))
    return SetUpdate(_text(body["op"]), target, element.key, element.timeout, statements, data)


def _flow(body: Json) -> FlowOffload:
    target = body["flowtable"] if isinstance(body, dict) else body
    return FlowOffload(SetReference(_text(target).removeprefix("@")))


_STATEMENTS: dict[str, Callable[[Json], Statement]] = {
    "match": _match,
    "vmap": lambda body: VerdictMap(_expression(body["key"]), _set_data(body["data"])),
    "mangle": lambda body: Mangle(_expression(body["key"]), _expression(body["value"])),
    "counter": _counter,
    "limit": _limit,
    "quota": _quota,
    "ct count": lambda body: CountLimit(_number(body["val"]), bool(body.get("inv"))),
    "ct helper": lambda body: Mangle(Conntrack("helper"), _text(body)),
    "ct timeout": lambda body: Mangle(Conntrack("timeout"), _text(body)),
    "ct expectation": lambda body: Mangle(Conntrack("expectation"), _text(body)),
    "log": _log,
    "reject": _reject,
    "set": _set_update,
    "map": _set_update,
    "notrack": lambda body: Notrack(),
    "flow": _flow,
    "xt": lambda body: Xtables(_text(body["type"]), _text(body["name"])),
    **{kind.value: _nat(kind) for kind in NatKind},
    **{name: partial(_verdict, name) for name in _VERDICTS},
}
