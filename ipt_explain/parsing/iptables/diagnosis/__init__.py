"""What people pasted, when it is not iptables-save output: named, with what to do instead.

Asked only where normal reading failed. Everything here looks at a bounded part of a line.
"""

from __future__ import annotations

import re

from ipt_explain.parsing.iptables.diagnosis import (
    documents,
    encoding,
    grammar_slips,
    nft,
    prefixes,
    shell,
    tools,
    typography,
)
from ipt_explain.parsing.iptables.diagnosis.reading import safe_normalisation
from ipt_explain.parsing.iptables.diagnosis.signs import Diagnosis, OtherInput, first_sign

__all__ = ["Diagnosis", "OtherInput", "diagnose", "foreign_line", "recognise", "safe_normalisation"]

_RULE = re.compile(r"(?:\[\d+:\d+\] )?-[AINDRPX] ")
_DUMP_LINE = re.compile(rf"[\s>]*(?:{prefixes.RULE_START})")
_OTHER_LINES = (
    encoding.IMPOSSIBLE
    + nft.SIGNS
    + tools.SIGNS
    + prefixes.SIGNS
    + shell.SIGNS
    + grammar_slips.SIGNS
    + documents.SIGNS
    + typography.SIGNS
    + encoding.SIGNS
)
_WHOLE_INPUTS = nft.SIGNS + tools.SIGNS + shell.SIGNS + documents.SIGNS
_LOOK_LINES = 400
_LOOK_TEXT = 262_144

_EMPTY = Diagnosis(
    "the input is empty",
    expected="What `iptables-save` prints.",
    remedy="`iptables-save` prints nothing without permission to read the rules: run it as root on the node.",
)
_NO_RULES = Diagnosis(
    "this line is not iptables-save syntax",
    expected="A line that starts with *table, :chain, -A or #, or that is COMMIT.",
    remedy="Remove the line, or skip such lines with `--lenient`; `iptables-save > FILE` writes a whole dump.",
)
_CR_REMEDY = "Turn them into line feeds: `tr '\\r' '\\n' < FILE | ipt-explain`."


def diagnose(line: str, previous: str = "") -> Diagnosis | None:
    """What a line is that could not be read, given the line above it. None if it begins like a rule and shows nothing
    known: then the grammar's own message says more."""
    if _RULE.match(line):
        return (
            first_sign(encoding.SIGNS, line)
            or first_sign(tools.SIGNS, line)
            or grammar_slips.rule_slip(line)
            or first_sign(grammar_slips.SIGNS, line)
            or first_sign(typography.SIGNS, line)
        )
    known = grammar_slips.wrapped(line, previous) or first_sign(_OTHER_LINES, line)
    return known or foreign_line(line)


def foreign_line(line: str) -> Diagnosis:
    """The diagnosis of a line about which nothing is known except that it is not a dump's."""
    start = len(line) - len(line.lstrip())
    width = len(line[start : start + 20].split(" ", 1)[0])
    return Diagnosis(_NO_RULES.message, start + 1, max(1, width), _NO_RULES.expected, _NO_RULES.remedy)


def recognise(text: str) -> OtherInput | None:
    """What the whole input is if it is no dump at all; None if one of its first lines is a dump's."""
    if not text.strip():
        return OtherInput(1, _EMPTY)
    start = first_sign(encoding.WHOLE, text[:64])
    if start is not None:
        return OtherInput(1, start)
    if _ends_lines_with_cr(text):
        return OtherInput(
            1, Diagnosis("the lines end with carriage returns alone", text.index("\r") + 1, remedy=_CR_REMEDY)
        )
    first = None
    lines = text[:_LOOK_TEXT].split("\n", _LOOK_LINES)[:_LOOK_LINES]
    for number, line in enumerate(lines, 1):
        if _DUMP_LINE.match(line):
            return None
        comment = line.startswith("#") and not line.startswith("#!")
        if first is None and not comment:
            found = first_sign(_WHOLE_INPUTS, line) if safe_normalisation(line) is None else None
            first = None if found is None else OtherInput(number, found)
    return first


def _ends_lines_with_cr(text: str) -> bool:
    head = text[:_LOOK_TEXT]
    lone = head.count("\r") - head.count("\r\n")
    return lone > max(1, head.count("\n"))
