"""Normalising what nft spells in several ways, for the readers of text and JSON."""

from __future__ import annotations

from ipt_explain.model.nft import (
    Conntrack,
    Constant,
    Expression,
    Operator,
    Payload,
    Reject,
    SetLiteral,
    SetReference,
    TableFamily,
)

_BITS_OF_CONNECTION = frozenset({"state", "status", "event", "label"})
_TCP_FLAGS = Payload("tcp", "flags")
_OPERATOR_WORDS = {"and": "&", "or": "|", "xor": "^"}

# include/uapi/linux/netfilter_ipv4.h and netfilter_bridge.h, as nft names them (src/rule.c, std_prios).
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_BRIDGE_PRIORITIES = {"dstnat": -300, "filter": -200, "out": 100, "srcnat": 300}

USUAL_BURST = {"packets": 5}
"""The default burst of a limit in packets; limits in bytes have none."""


def implicit_operator(left: Expression, right: Expression) -> Operator:
    """How `LEFT RIGHT` compares: bit fields by any bit, everything else by equality."""
    if isinstance(right, (SetLiteral, SetReference)):
        return Operator.EQUAL
    if isinstance(left, Conntrack):
        return Operator.IN if left.key in _BITS_OF_CONNECTION else Operator.EQUAL
    return Operator.IN if isinstance(left, Payload) and left == _TCP_FLAGS else Operator.EQUAL


def operator_sign(text: str) -> str:
    """`&` for `and`, and so on."""
    return _OPERATOR_WORDS.get(text, text)


def reject_with(kind: str | None, code: Constant | None) -> Reject:
    """A reject; in most tables nft leaves out the default, port unreachable."""
    return Reject() if code == "port-unreachable" else Reject(kind, code)


def priority_of(name: str | None, offset: int, family: TableFamily) -> int | None:
    """The number of `dstnat - 10`; None for an unknown name."""
    if name is None:
        return offset
    known = _BRIDGE_PRIORITIES if family is TableFamily.BRIDGE else _PRIORITIES
    base = known.get(name)
    return None if base is None else base + offset
