"""The statements of `nft -j`, as libnftables-json(5) describes them. Anything unknown becomes Unread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ipt_explain.model.nft import (
    Conntrack,
    CountLimit,
    FlowOffload,
    Limit,
    Log,
    Mangle,
    Match,
    Meta,
    Nat,
    NatKind,
    Notrack,
    Operator,
    Quota,
    Reject,
    SetReference,
    SetUpdate,
    Statement,
    VerdictMap,
    Xtables,
)
from ipt_explain.parsing.nft.json.expressions import (
    VERDICTS,
    counter_of,
    expression_of,
    keyed_element,
    set_data_of,
    verdict_of,
)
from ipt_explain.parsing.nft.json.words import FAILURES, Json, constant, maybe_text, number, several, text, unread
from ipt_explain.parsing.nft.normal import USUAL_BURST, reject_with


def statement_of(item: Json) -> Statement:
    """One entry of a rule's `expr`."""
    try:
        ((name, body),) = item.items()
        return _STATEMENTS[name](body)
    except FAILURES:
        return unread(item)


def _match(body: Json) -> Match:
    left = expression_of(body["left"])
    right = expression_of(body["right"])
    # Indexes of interfaces, realms and groups are strings in JSON but numbers in text.
    if type(right) is str and right.isdecimal() and not (isinstance(left, Meta) and left.key.endswith("name")):
        right = int(right)
    operator = Operator(body["op"])
    return Match(left, operator, right)


def _nat(kind: NatKind) -> Callable[[Json], Nat]:
    def read(body: Json) -> Nat:
        if body is None:
            return Nat(kind)
        flags = frozenset(map(text, several(body.get("flags", [])))) - {"netmap"}
        address = expression_of(body["addr"]) if "addr" in body else None
        port = expression_of(body["port"]) if "port" in body else None
        prefix = "prefix" in several(body.get("type_flags", []))
        return Nat(kind, address, port, flags, maybe_text(body.get("family")), prefix)

    return read


def _limit(body: Json) -> Limit:
    if isinstance(body, str):
        return Limit(name=body)
    unit = body.get("rate_unit", "packets")
    burst_unit = body.get("burst_unit", "packets" if unit == "packets" else "bytes")
    burst = number(body.get("burst", USUAL_BURST.get(unit, 0)))
    over = bool(body.get("inv"))
    return Limit(number(body["rate"]), text(unit), text(body["per"]), burst, text(burst_unit), over)


def _quota(body: Json) -> Quota:
    if isinstance(body, str):
        return Quota(name=body)
    used, used_unit = number(body.get("used", 0)), text(body.get("used_unit", "bytes"))
    return Quota(number(body["val"]), text(body.get("val_unit", "bytes")), bool(body.get("inv")), used, used_unit)


def _log(body: Json) -> Log:
    if body is None:
        return Log()
    options = sorted((name, constant(value)) for name, value in body.items() if name != "flags")
    return Log(tuple(options), tuple(map(text, several(body.get("flags", [])))))


def _reject(body: Json) -> Reject:
    return Reject() if body is None else reject_with(maybe_text(body.get("type")), maybe_text(body.get("expr")))


def _set_update(body: Json) -> SetUpdate:
    element = keyed_element(body["elem"], None, 0)
    target = expression_of(body["set"] if "set" in body else body["map"])
    if not isinstance(target, SetReference):
        raise ValueError
    data = expression_of(body["data"]) if "data" in body else None
    statements = tuple(statement_of(item) for item in body.get("stmt", ()))
    return SetUpdate(text(body["op"]), target, element.key, element.timeout, statements, data)


def _flow(body: Json) -> FlowOffload:
    target = body["flowtable"] if isinstance(body, dict) else body
    return FlowOffload(SetReference(text(target).removeprefix("@")))


_STATEMENTS: dict[str, Callable[[Json], Statement]] = {
    "match": _match,
    "vmap": lambda body: VerdictMap(expression_of(body["key"]), set_data_of(body["data"])),
    "mangle": lambda body: Mangle(expression_of(body["key"]), expression_of(body["value"])),
    "counter": counter_of,
    "limit": _limit,
    "quota": _quota,
    "ct count": lambda body: CountLimit(number(body["val"]), bool(body.get("inv"))),
    "ct helper": lambda body: Mangle(Conntrack("helper"), text(body)),
    "ct timeout": lambda body: Mangle(Conntrack("timeout"), text(body)),
    "ct expectation": lambda body: Mangle(Conntrack("expectation"), text(body)),
    "log": _log,
    "reject": _reject,
    "set": _set_update,
    "map": _set_update,
    "notrack": lambda body: Notrack(),
    "flow": _flow,
    "xt": lambda body: Xtables(text(body["type"]), text(body["name"])),
    **{kind.value: _nat(kind) for kind in NatKind},
    **{name: partial(verdict_of, name) for name in VERDICTS},
}
