"""The statements of `nft -j`, as libnftables-json(5) describes them. Anything unknown becomes Unread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ipt_explain.model import nft
from ipt_explain.parsing.nft.json.expressions import (
    VERDICTS,
    counter_of,
    expression_of,
    keyed_element,
    set_data_of,
    verdict_of,
)
from ipt_explain.parsing.nft.json.words import FAILURES, Json, constant, flags_of, maybe_text, number, text, unread
from ipt_explain.parsing.nft.normal import NONE_OF, USUAL_BURST, none_of, reject_with, usual, usual_target


def statement_of(item: Json) -> nft.Statement:
    """One entry of a rule's `expr`."""
    try:
        ((name, body),) = item.items()
        return _STATEMENTS[name](body)
    except FAILURES:
        return unread(item)


def _match(body: Json) -> nft.Match:
    left = expression_of(body["left"])
    right = expression_of(body["right"])
    # Indexes of interfaces, realms and groups are strings in JSON but numbers in text.
    if type(right) is str and right.isdecimal() and not (isinstance(left, nft.Meta) and left.key.endswith("name")):
        right = int(right)
    if isinstance(left, nft.Binary):
        left = nft.Binary(left.operator, left.left, usual(left.left, left.right))
    if body["op"] == NONE_OF:
        return none_of(left, usual(left, right))
    return nft.Match(left, nft.Operator(body["op"]), usual(left, right))


def _verdict_map(body: Json) -> nft.VerdictMap:
    key = expression_of(body["key"])
    return nft.VerdictMap(key, usual(key, set_data_of(body["data"])))


def _nat(kind: nft.NatKind) -> Callable[[Json], nft.Nat]:
    def read(body: Json) -> nft.Nat:
        if body is None:
            return nft.Nat(kind)
        flags = frozenset(map(text, flags_of(body.get("flags", [])))) - {"netmap"}
        address = usual_target(expression_of(body["addr"])) if "addr" in body else None
        port = usual_target(expression_of(body["port"])) if "port" in body else None
        prefix = "prefix" in flags_of(body.get("type_flags", []))
        return nft.Nat(kind, address, port, flags, maybe_text(body.get("family")), prefix)

    return read


def _limit(body: Json) -> nft.Limit:
    if isinstance(body, str):
        return nft.Limit(name=body)
    unit = body.get("rate_unit", "packets")
    burst_unit = body.get("burst_unit", "packets" if unit == "packets" else "bytes")
    burst = number(body.get("burst", USUAL_BURST.get(unit, 0)))
    over = bool(body.get("inv"))
    return nft.Limit(number(body["rate"]), text(unit), text(body["per"]), burst, text(burst_unit), over)


def _quota(body: Json) -> nft.Quota:
    if isinstance(body, str):
        return nft.Quota(name=body)
    used, used_unit = number(body.get("used", 0)), text(body.get("used_unit", "bytes"))
    return nft.Quota(number(body["val"]), text(body.get("val_unit", "bytes")), bool(body.get("inv")), used, used_unit)


def _log(body: Json) -> nft.Log:
    if body is None:
        return nft.Log()
    options = sorted((name, constant(value)) for name, value in body.items() if name != "flags")
    return nft.Log(tuple(options), tuple(map(text, flags_of(body.get("flags", [])))))


def _reject(body: Json) -> nft.Reject:
    if body is None:
        return nft.Reject()
    code = body.get("expr")
    return reject_with(maybe_text(body.get("type")), None if code is None else constant(code))


def _set_update(body: Json) -> nft.SetUpdate:
    element = keyed_element(body["elem"], None, 0)
    target = expression_of(body["set"] if "set" in body else body["map"])
    if not isinstance(target, nft.SetReference):
        raise ValueError
    data = expression_of(body["data"]) if "data" in body else None
    statements = tuple(statement_of(item) for item in body.get("stmt", ()))
    return nft.SetUpdate(text(body["op"]), target, element.key, element.timeout, statements, data)


def _flow(body: Json) -> nft.FlowOffload:
    target = body["flowtable"] if isinstance(body, dict) else body
    return nft.FlowOffload(nft.SetReference(text(target).removeprefix("@")))


def _aside(name: str, body: Json) -> nft.Aside:
    return nft.Aside(unread({name: body}).text)


_STATEMENTS: dict[str, Callable[[Json], nft.Statement]] = {
    "match": _match,
    "vmap": _verdict_map,
    "mangle": lambda body: nft.Mangle(expression_of(body["key"]), expression_of(body["value"])),
    "counter": counter_of,
    "limit": _limit,
    "quota": _quota,
    "ct count": lambda body: nft.CountLimit(number(body["val"]), bool(body.get("inv"))),
    "ct helper": lambda body: nft.Mangle(nft.Conntrack("helper"), text(body)),
    "ct timeout": lambda body: nft.Mangle(nft.Conntrack("timeout"), text(body)),
    "ct expectation": lambda body: nft.Mangle(nft.Conntrack("expectation"), text(body)),
    "log": _log,
    "reject": _reject,
    "set": _set_update,
    "map": _set_update,
    "notrack": lambda body: nft.Notrack(),
    "flow": _flow,
    **{name: partial(_aside, name) for name in ("last", "dup", "reset")},
    "xt": lambda body: nft.Xtables(text(body["type"]), text(body["name"])),
    **{kind.value: _nat(kind) for kind in nft.NatKind},
    **{name: partial(verdict_of, name) for name in VERDICTS},
}
