"""The TOS byte as rules write it: `--tos 0x10/0x3f`, `--dscp 0x0a`, `--dscp-class AF11`.

Facts: libxt_TOS.c, libxt_DSCP.c, dscp_helper.c (RFC 2474, 2597 and 3246 name the classes).
"""

from __future__ import annotations

from ipt_explain.netfilter.marks import MarkChange, mark_change, parse_integer

_BYTE = 0xFF
_DSCP = 0xFC
_CLASSES = {"BE": 0, "EF": 46, **{f"CS{number}": number << 3 for number in range(8)}} | {
    f"AF{row}{drop}": row << 3 | drop << 1 for row in range(1, 5) for drop in range(1, 4)
}


def wanted_service_type(option: str, text: str) -> tuple[int, int]:
    """The value and mask that a match tests for. Raises ValueError."""
    if option != "--tos":
        return _dscp(option, text) << 2, _DSCP
    value, slash, mask = text.partition("/")
    return parse_integer(value), parse_integer(mask) if slash else _BYTE


def service_type_change(option: str, text: str) -> MarkChange:
    """How a target changes the byte: `--set-tos`, `--and-tos`, `--set-dscp` and the like. Raises ValueError."""
    if "dscp" in option:
        return MarkChange(flip=_dscp(option, text) << 2, clear=_DSCP)
    if option == "--set-tos":
        value, _, mask = text.partition("/")
        return MarkChange(flip=parse_integer(value), clear=parse_integer(mask or "0xff"))
    change = mark_change(option.replace("-tos", "-mark"), text)
    return MarkChange(flip=change.flip & _BYTE, clear=change.clear & _BYTE)


def _dscp(option: str, text: str) -> int:
    if not option.endswith("-class"):
        return parse_integer(text)
    if text.upper() not in _CLASSES:
        raise ValueError(f"{text} is not a class of RFC 2474, 2597 or 3246")
    return _CLASSES[text.upper()]
