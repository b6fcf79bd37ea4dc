"""One grammar, two speeds: shapes that Lark has parsed once read later lines as compiled patterns.

The pattern of a shape is the text between the values of its first line, and the grammar's terminals in
the place of the values. It has no syntax of its own: what it matches, Lark would read the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ipt_explain.model import Command, Counters, Rule, Shape
from ipt_explain.parsing.logical import LogicalLine
from ipt_explain.parsing.rule_parser import ParsedRule, RuleSyntaxError, parse_rule

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SKELETON_WORD = re.compile(r"(?:^| )(-m [^ \n]+|-[^ \n]+|!)(?=[ \n]|$)")
_COUNTERS = re.compile(r"\[(\d+):(\d+)\] *")

# Dumps have dozens of shapes. Beyond these numbers a text is made to have many, and remembering them all would only cost memory.
_MAX_SKELETONS = 4096
_MAX_SHAPES_OF_SKELETON = 8


class ShapePattern:
    """A shape's compiled pattern, and the two shapes that followed it last: nearly always, one of them follows again."""

    __slots__ = ("appends", "counted", "first", "match", "second", "shape")

    def __init__(self, shape: Shape | None, pattern: re.Pattern[str], counted: bool) -> None:
        self.shape = shape
        self.appends = shape is not None and shape.command is Command.APPEND
        self.match: Callable[[str, int], re.Match[str] | None] = pattern.match
        self.counted = counted
        self.first: ShapePattern = self
        self.second: ShapePattern = self

    def rule(self, match: re.Match[str], line: int) -> Rule:
        """The rule that a match of this pattern holds."""
        assert self.shape is not None
        groups = match.groups()
        if self.counted:
            return Rule(self.shape, groups[2:], line, Counters(int(groups[0]), int(groups[1])))
        return Rule(self.shape, groups, line)


class ShapeCache:
    """All patterns seen so far, by the skeleton of a line: its option words, which hint at its shape."""

    def __init__(self) -> None:
        self.start = ShapePattern(None, re.compile(r"(?!)"), counted=False)
        self._by_skeleton: dict[tuple[str, ...], list[ShapePattern]] = {}

    def read(self, previous: ShapePattern, logical: LogicalLine, line: int) -> tuple[Rule, ShapePattern]:
        """The rule that a logical line holds, and the pattern of its shape. Raises RuleSyntaxError where Lark does."""
        text = logical.text
        skeleton = _skeleton(text)
        candidates = self._by_skeleton.get(skeleton)
        for pattern in candidates or ():
            match = pattern.match(text, 0)
            if match is not None and match.end() == len(text):
                _remember(previous, pattern)
                return pattern.rule(match, line), pattern
        return self._parse(previous, skeleton, text, line)

    def _parse(
        self, previous: ShapePattern, skeleton: tuple[str, ...], text: str, line: int
    ) -> tuple[Rule, ShapePattern]:
        counters = _COUNTERS.match(text)
        offset = counters.end() if counters else 0
        try:
            parsed = parse_rule(text[offset:])
        except RuleSyntaxError as error:
            raise RuleSyntaxError(error.column + offset, error.width, error.message, error.expected) from None
        tally = Counters(int(counters[1]), int(counters[2])) if counters else None
        rule = Rule(parsed.shape, parsed.values, line, tally)
        if len(self._by_skeleton) >= _MAX_SKELETONS:
            self._by_skeleton.clear()
        known = self._by_skeleton.setdefault(skeleton, [])
        if len(known) >= _MAX_SHAPES_OF_SKELETON:
            return rule, previous
        pattern = _compile(parsed, text[offset:], counted=counters is not None)
        known.append(pattern)
        _remember(previous, pattern)
        return rule, pattern


def _compile(parsed: ParsedRule, text: str, counted: bool) -> ShapePattern:
    parts, position = [], 0
    if counted:
        parts.append(_COUNTERS.pattern)
    for token in parsed.tokens:
        parts.append(re.escape(text[position : token.start]))
        parts.append(f"({token.pattern})")
        position = token.end
    parts.append(re.escape(text[position:]))
    parts.append(r"(?:\n|\Z)")
    return ShapePattern(parsed.shape, re.compile("".join(parts), re.DOTALL), counted)


def _remember(previous: ShapePattern, pattern: ShapePattern) -> None:
    if previous.first is not pattern:
        previous.second = previous.first
        previous.first = pattern


def _skeleton(line: str) -> tuple[str, ...]:
    return tuple(_SKELETON_WORD.findall(_QUOTED.sub('"', line)))
