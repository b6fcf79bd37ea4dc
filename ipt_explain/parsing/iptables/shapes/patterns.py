"""From one parsed rule to the pattern of all rules of its form, and to the hint by which they are found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipt_explain.parsing.iptables.rules.rule_parser import ParsedRule

# A quote that is never closed reaches to the end: so no text is searched twice.
_QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_SKELETON_WORD = re.compile(r"(?:^| )(-m [^ \n]+|-[^ \n]+|!)(?=[ \n]|$)")


def pattern_of(parsed: ParsedRule, text: str) -> str:
    """The pattern of all lines with the shape, the keywords and the blanks of a parsed rule, and with words of the
    same make in the place of its values: bare, or quoted without escapes. One group a value.
    """
    from ipt_explain.parsing.iptables.rules.value_patterns import any_word

    parts, position = [], 0
    for token in parsed.tokens:
        word = text[token.start : token.end]
        parts.append(re.escape(text[position : token.start]))
        parts.append(f"({_narrowed(token.pattern, word, any_word())})")
        position = token.end
    parts.append(re.escape(text[position:]))
    return "".join(parts)


def reaches_over_lines(pattern: str) -> bool:
    """Whether a pattern can match a line feed: one that was not narrowed to words that hold none."""
    return "(?s:" in pattern


# Two of the makes of the grammar's words: what nearly all are, and the cheapest to match.
_MAKES = (r'[^ \t\n"][^ \t\n]*', r'"[^"\\\n]*"')


def _narrowed(pattern: str, word: str, any_word: str) -> str:
    for make in _MAKES:
        if re.fullmatch(make, word):
            return pattern.replace(any_word, make)
    return pattern


def skeleton(rule: str) -> str:
    """What a rule's text shows of its shape at a glance: its option words and modules."""
    return " ".join(_SKELETON_WORD.findall(_QUOTED.sub('"', rule)))
