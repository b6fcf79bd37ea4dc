"""Marks that mail and chat programs put around rules: `>` before quoted lines, and fences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ipt_explain.parsing.iptables.diagnosis.prefixes import RULE_START
from ipt_explain.parsing.pastes.broken.wrapping import DUMP_LINE

_QUOTED_RULE = re.compile(rf">[> \t]*{RULE_START}")
_MARKS = re.compile(r"(?:> ?)+")
_RULE = re.compile(rf"[ \t]*(?={RULE_START})")
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,}|\{(?:noformat|code|panel|quote)\b[^{}]*\}\s*\Z)")
_FENCE_BEFORE = re.compile(rf"(?<!`)`{{3,}}(?={RULE_START})")
_FENCE_AFTER = re.compile(r"(?<=[^\s`])`{3,}[ \t]*\Z")


def without_quote_marks(lines: Sequence[str]) -> tuple[list[str], int]:
    """The lines without `>`, if mail has quoted rules among them, and how many had it."""
    quoted = [line.startswith(">") for line in lines] if any(map(_QUOTED_RULE.match, lines)) else []
    if not quoted:
        return list(lines), 0
    return [_unquoted(line) if marked else line for line, marked in zip(lines, quoted)], sum(quoted)


def _unquoted(line: str) -> str:
    """A line without its marks. A blank at the start of what a terminal broke separates words."""
    bare = _MARKS.sub("", line, count=1)
    return _RULE.sub("", bare, count=1)


def is_fence(line: str) -> bool:
    """Whether a line opens or closes a block of code."""
    return _FENCE.match(line) is not None


def without_fence(line: str) -> str:
    """A rule without the fence that chat programs leave on its line."""
    bare = _FENCE_BEFORE.sub("", line)
    return _FENCE_AFTER.sub("", bare) if DUMP_LINE.match(bare) else bare
