"""Exceptions in the dump's own comments: `# ipt-explain: ignore IPT709` above a line, or the same words in a rule's
comment."""

from __future__ import annotations

import re

from ipt_explain.audit.settings.selection import is_named
from ipt_explain.model.dump import SourceText
from ipt_explain.patterns import lazy_pattern

_IGNORE = lazy_pattern(r"\bipt-explain:\s*ignore\s+([\w-]+(?:[\s,]+[\w-]+)*)", re.IGNORECASE)
# How many lines of comments above a rule are read.
_MOST_ABOVE = 8


def ignored_in_text(text: SourceText, line: int, rule_id: str, slug: str) -> bool:
    """Whether the line's comment, or the comments right above it, ignore a rule for this line."""
    if _names(text.line(line), rule_id, slug):
        return True
    for number in range(line - 1, max(line - 1 - _MOST_ABOVE, 0), -1):
        above = text.line(number).lstrip()
        if not above.startswith("#"):
            return False
        if _names(above, rule_id, slug):
            return True
    return False


def _names(line: str, rule_id: str, slug: str) -> bool:
    if "ipt-explain" not in line:
        return False
    found = _IGNORE.search(line)
    return found is not None and any(is_named(word, rule_id, slug) for word in re.split(r"[\s,]+", found[1]))
