"""Normalising what nft spells in several ways, for the readers of text and JSON."""

from __future__ import annotations

from ipt_explain.model import nft

_BITS_OF_CONNECTION = frozenset({"state", "status", "event", "label"})
_TCP_FLAGS = nft.Payload("tcp", "flags")
_OPERATOR_WORDS = {"and": "&", "or": "|", "xor": "^"}

# include/uapi/linux/netfilter_ipv4.h and netfilter_bridge.h, as nft names them (src/rule.c, std_prios).
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_BRIDGE_PRIORITIES = {"dstnat": -300, "filter": -200, "out": 100, "srcnat": 300}

USUAL_BURST = {"packets": 5}
"""The default burst of a limit in packets; limits in bytes have none."""


def implicit_operator(left: nft.Expression, right: nft.Expression) -> nft.Operator:
    """How `LEFT RIGHT` compares: bit fields by any bit, everything else by equality."""
    if isinstance(right, (nft.SetLiteral, nft.SetReference)):
        return nft.Operator.EQUAL
    if isinstance(left, nft.Conntrack):
        return nft.Operator.IN if left.key in _BITS_OF_CONNECTION else nft.Operator.EQUAL
    return nft.Operator.IN if isinstance(left, nft.Payload) and left == _TCP_FLAGS else nft.Operator.EQUAL


def operator_sign(text: str) -> str:
    """`&` for `and`, and so on."""
    return _OPERATOR_WORDS.get(text, text)


def reject_with(kind: str | None, code: nft.Constant | None) -> nft.Reject:
    """A reject; in most tables nft leaves out the default, port unreachable."""
    return nft.Reject() if code == "port-unreachable" else nft.Reject(kind, code)


def priority_of(name: str | None, offset: int, family: nft.TableFamily) -> int | None:
    """The number of `dstnat - 10`; None for an unknown name."""
    if name is None:
        return offset
    known = _BRIDGE_PRIORITIES if family is nft.TableFamily.BRIDGE else _PRIORITIES
    base = known.get(name)
    return None if base is None else base + offset
