"""Joining rules that a terminal or document broke into two lines, if the grammar accepts the result."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ipt_explain.errors import RuleSyntaxError
from ipt_explain.model import Rule
from ipt_explain.parsing.iptables.diagnosis.prefixes import RULE_START
from ipt_explain.parsing.iptables.logical import LogicalLine
from ipt_explain.parsing.iptables.shapes.shapes import ShapeCache

DUMP_LINE = re.compile(rf"{RULE_START}|#|--(?:append|insert|delete|replace) |-[PNXF] ")
"""A line of a dump, or of commands without `iptables`."""
OPENS_TABLE = re.compile(r"\*(?:raw|mangle|nat|filter|security)[ \t]*\Z")
_RULE = re.compile(r"(?:\[\d+:\d+\] *)?-[AIDR] \S")
_OPTION = re.compile(r"(?:-[a-z]|--[a-z][\w-]*|!)(?:[ \t]|\Z)")
_MOST_PIECES = 8
"""A rule is wrapped into fewer lines than this."""
_NARROWEST = 60
"""The narrowest terminal that is assumed to break lines inside words."""


def window_of(lengths: Sequence[int]) -> int:
    """The width of the window that broke lines of these lengths; 0 if unknown."""
    width = max(lengths, default=0)
    return width if width >= _NARROWEST and lengths.count(width) > 1 else 0


class Joiner:
    """Tries to join lines, a limited number of times, since each try parses a rule."""

    def __init__(self, tries: int = 1500) -> None:
        self._shapes = ShapeCache()
        self._tries = tries

    def read(self, text: str, line: int = 1) -> Rule:
        """Parse a rule. Raises RuleSyntaxError."""
        rule, _ = self._shapes.read(self._shapes.start, LogicalLine.of(text), line)
        return rule

    def tried(self, text: str) -> Rule | None:
        """The rule that a text is; None if it is not one, or after too many tries."""
        self._tries -= 1
        if self._tries < 0:
            return None
        try:
            return self.read(text)
        except RuleSyntaxError:
            return None

    def reads(self, text: str) -> bool:
        """Whether a text is a rule; False after too many tries."""
        return self.tried(text) is not None

    def rejoined(self, lines: Sequence[str], place: int) -> tuple[str, int] | None:
        """A rule that was wrapped between words into the line at `place` and some below it, and where the last of them
        is; None if they form no rule with a target."""
        text = lines[place]
        for below in range(place + 1, min(place + _MOST_PIECES, len(lines))):
            piece = lines[below].strip(" \t")
            if not piece or DUMP_LINE.match(piece):
                return None
            text = f"{text.rstrip()} {piece}"
            rule = self.tried(text)
            if rule is not None and rule.target is not None:
                return text, below
        return None

    def joined(self, above: str, below: str, filled: bool) -> str | None:
        """The rule that two lines form together; None if they do not, or if that is uncertain. `filled`: the first
        line reaches the edge of a window."""
        if not _RULE.match(above) or self._tries < 3 or len(above) > 4096 or len(below) > 4096:
            return None
        self._tries -= 3
        rest = below.strip(" \t")
        if _RULE.match(rest):
            return None
        alone = self._target(above)
        if alone and not rest.startswith(("-", "!")) and (" " in rest or not filled):
            return None
        inside = self._target(above + rest) if not above.endswith((" ", "\t")) else None
        between = self._target(above.rstrip(" \t") + " " + rest)
        wide = filled if alone else len(above) >= _NARROWEST
        if inside and (not between or (wide and not _OPTION.match(rest))):
            return above + rest if wide or not alone else None
        if between and not (inside and (alone or inside != between)):
            return above.rstrip(" \t") + " " + rest
        return None

    def _target(self, text: str) -> str | None:
        """The target of a text, if it is a rule with one."""
        try:
            return self.read(text).target
        except RuleSyntaxError:
            return None
