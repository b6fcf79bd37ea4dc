"""One grammar, two speeds: shapes that Lark has parsed once read later lines as compiled patterns.

The pattern of a shape is the text between the values of its first line, and the grammar's terminals in
the place of the values. It has no syntax of its own: what it matches, Lark would read the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ipt_explain.model import Command, Counters, Rule, Shape
from ipt_explain.parsing.logical import LogicalLine
from ipt_explain.parsing.precompiled import known_forms
from ipt_explain.parsing.rule_errors import RuleSyntaxError

if TYPE_CHECKING:
    from ipt_explain.parsing.rule_parser import ParsedRule

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SKELETON_WORD = re.compile(r"(?:^| )(-m [^ \n]+|-[^ \n]+|!)(?=[ \n]|$)")
_COUNTERS = re.compile(r"\[(\d+):(\d+)\] *")

# Dumps have dozens of shapes. A text with more than this is made to have them; remembering all would only cost memory.
_MAX_SKELETONS = 4096
_MAX_SHAPES_OF_SKELETON = 8


# What comes before the first rule; no text has it.
_NO_SHAPE = Shape(Command.APPEND, None, (), (), None, ("",), ())


class ShapePattern:
    """A shape's compiled pattern, and the two shapes that followed it last: nearly always, one of them follows
    again.
    """

    __slots__ = ("appends", "counted", "first", "match", "second", "shape")

    def __init__(self, shape: Shape, pattern: re.Pattern[str], counted: bool) -> None:
        self.shape = shape
        self.appends = shape.command is Command.APPEND
        self.match: Callable[[str, int], re.Match[str] | None] = pattern.match
        self.counted = counted
        self.first: ShapePattern = self
        self.second: ShapePattern = self

    def rule(self, match: re.Match[str], line: int) -> Rule:
        """The rule that a match of this pattern holds."""
        groups = match.groups()
        if self.counted:
            return Rule(self.shape, groups[2:], line, Counters(int(groups[0]), int(groups[1])))
        return Rule(self.shape, groups, line)


class ShapeCache:
    """All patterns seen so far, by the skeleton of a line: its option words, which hint at its shape."""

    def __init__(self) -> None:
        self.start = ShapePattern(_NO_SHAPE, re.compile(r"(?!)"), counted=False)
        self._by_skeleton: dict[tuple[bool, str], list[ShapePattern]] = {}

    def read(self, previous: ShapePattern, logical: LogicalLine, line: int) -> tuple[Rule, ShapePattern]:
        """The rule that a logical line holds, and the pattern of its shape. Raises RuleSyntaxError where Lark does."""
        text = logical.text
        counters = _COUNTERS.match(text)
        offset = counters.end() if counters else 0
        for pattern in self._candidates(text[offset:], counted=offset > 0):
            match = pattern.match(text, 0)
            if match is not None and match.end() == len(text):
                _remember(previous, pattern)
                return pattern.rule(match, line), pattern
        return self._parse(previous, text, offset, line)

    def _candidates(self, text: str, counted: bool) -> list[ShapePattern]:
        """The patterns of the shapes that a rule's text may have: those read before, or shipped with the package."""
        key = (counted, skeleton(text))
        known = self._by_skeleton.get(key)
        if known is None:
            if len(self._by_skeleton) >= _MAX_SKELETONS:
                self._by_skeleton.clear()
            forms = known_forms(key[1])
            known = self._by_skeleton[key] = [_compile(form.shape, form.pattern, counted) for form in forms]
        return known

    def _parse(self, previous: ShapePattern, text: str, offset: int, line: int) -> tuple[Rule, ShapePattern]:
        from ipt_explain.parsing.rule_parser import parse_rule

        try:
            parsed = parse_rule(text[offset:])
        except RuleSyntaxError as error:
            raise RuleSyntaxError(error.column + offset, error.width, error.message, error.expected) from None
        counters = _COUNTERS.match(text)
        tally = Counters(int(counters[1]), int(counters[2])) if counters else None
        rule = Rule(parsed.shape, parsed.values, line, tally)
        known = self._candidates(text[offset:], counted=offset > 0)
        if len(known) >= _MAX_SHAPES_OF_SKELETON:
            return rule, previous
        pattern = _compile(parsed.shape, pattern_of(parsed, text[offset:]), counted=offset > 0)
        known.append(pattern)
        _remember(previous, pattern)
        return rule, pattern


def _compile(shape: Shape, pattern: str, counted: bool) -> ShapePattern:
    prefix = _COUNTERS.pattern if counted else ""
    return ShapePattern(shape, re.compile(rf"{prefix}{pattern}(?:\n|\Z)", re.DOTALL), counted)


def pattern_of(parsed: ParsedRule, text: str) -> str:
    """The pattern of all lines with the shape, the keywords and the blanks of a parsed rule: one group a value."""
    parts, position = [], 0
    for token in parsed.tokens:
        parts.append(re.escape(text[position : token.start]))
        parts.append(f"({token.pattern})")
        position = token.end
    parts.append(re.escape(text[position:]))
    return "".join(parts)


def _remember(previous: ShapePattern, pattern: ShapePattern) -> None:
    if previous.first is not pattern:
        previous.second = previous.first
        previous.first = pattern


def skeleton(rule: str) -> str:
    """What a rule's text shows of its shape at a glance: its option words and modules."""
    return " ".join(_SKELETON_WORD.findall(_QUOTED.sub('"', rule)))
