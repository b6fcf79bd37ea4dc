"""From one parsed rule to the pattern of all rules of its form, and to the hint by which they are found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipt_explain.parsing.rule_parser import ParsedRule

# A quote that is never closed reaches to the end: so no text is searched twice.
_QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_SKELETON_WORD = re.compile(r"(?:^| )(-m [^ \n]+|-[^ \n]+|!)(?=[ \n]|$)")


def pattern_of(parsed: ParsedRule, text: str) -> str:
    """The pattern of all lines with the shape, the keywords and the blanks of a parsed rule: one group a value."""
    parts, position = [], 0
    for token in parsed.tokens:
        parts.append(re.escape(text[position : token.start]))
        parts.append(f"({token.pattern})")
        position = token.end
    parts.append(re.escape(text[position:]))
    return "".join(parts)


def skeleton(rule: str) -> str:
    """What a rule's text shows of its shape at a glance: its option words and modules."""
    return " ".join(_SKELETON_WORD.findall(_QUOTED.sub('"', rule)))
