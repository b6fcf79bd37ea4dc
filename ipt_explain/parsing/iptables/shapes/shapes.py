"""One grammar, two speeds: shapes that Lark has parsed once read later lines as compiled patterns.

The pattern of a shape is the text between the values of its first line, and the grammar's terminals in
the place of the values. It has no syntax of its own: what it matches, Lark would read the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ipt_explain.errors import RuleSyntaxError
from ipt_explain.model import Command, Counters, Rule, Shape
from ipt_explain.parsing.iptables.logical import LogicalLine
from ipt_explain.parsing.iptables.shapes.common_pieces import common_pieces
from ipt_explain.parsing.iptables.shapes.patterns import LinePattern, Scanner, pattern_of, skeleton
from ipt_explain.parsing.iptables.shapes.pieces import ReadPieces, pieces_of
from ipt_explain.patterns import lazy_pattern

if TYPE_CHECKING:
    from ipt_explain.parsing.iptables.rules.rule_parser import ParsedRule

COUNTERS = r"\[([0-9]{1,20}):([0-9]{1,20})\] *"
"""What `iptables-save -c` prints in front of a rule. Two groups: packets and bytes."""

_COUNTERS = lazy_pattern(COUNTERS)

# Dumps have dozens of shapes. A text with more than this is made to have them; remembering all would only cost memory.
_OFTEN = 8
_MAX_SKELETONS = 4096
_MAX_SHAPES_OF_SKELETON = 8
_MAX_FOLLOWERS = 8

_NO_SHAPE = Shape(Command.APPEND, None, (), (), None, ("",), ())

_Key = tuple[bool, str]
"""Whether a rule has counters, and its skeleton."""


class ShapePattern:
    """A shape's compiled pattern, and the shapes that followed it, the last of them first: nearly always, one of them
    follows again. `plain`: its rules are appended to their chain, each on one line.
    """

    __slots__ = ("counted", "followers", "line", "match", "plain", "scanner", "shape")

    def __init__(self, shape: Shape, line: LinePattern, counted: bool) -> None:
        self.shape = shape
        self.line = line
        self.counted = counted
        self.plain = line.one_line and shape.command is Command.APPEND
        pattern = re.compile(rf"{COUNTERS if counted else ''}{line.text}(?:\n|\Z)", re.DOTALL)
        self.match: Callable[[str, int], re.Match[str] | None] = pattern.match
        self.scanner: Scanner = pattern.scanner  # type: ignore[attr-defined]
        self.followers: list[ShapePattern] = [self]

    def follow(self, text: str, position: int) -> tuple[ShapePattern, re.Match[str]] | None:
        """The pattern that matches at this position of a text, where it is one of the likely ones."""
        for pattern in self.followers:
            match = pattern.match(text, position)
            if match is not None:
                self.expect(pattern)
                return pattern, match
        return None

    def expect(self, pattern: ShapePattern) -> None:
        """This pattern has followed."""
        followers = self.followers
        if pattern is not followers[0]:
            if pattern in followers:
                followers.remove(pattern)
            followers.insert(0, pattern)
            del followers[_MAX_FOLLOWERS:]

    def content(self, match: re.Match[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The values and the counters of the rule that a match of this pattern holds."""
        groups = match.groups()
        return (groups[2:], groups[:2]) if self.counted else (groups, ())

    def rule(self, match: re.Match[str], line: int) -> Rule:
        """The rule that a match of this pattern holds."""
        values, counts = self.content(match)
        return Rule(self.shape, values, line, Counters(*map(int, counts)) if counts else None)


class ShapeCache:
    """All shapes seen so far: patterns of those that are met often, by a line's skeleton, and the pieces of all.

    `start` comes before the first rule and matches none. `over_lines` tells that a pattern may match several lines.
    """

    def __init__(self) -> None:
        self.start = ShapePattern(_NO_SHAPE, LinePattern(("(?!)",), ()), counted=False)
        self._patterns: dict[_Key, list[ShapePattern]] = {}
        self._met: dict[_Key, int] = {}
        self._pieces = common_pieces()
        self.over_lines = False

    def read(self, previous: ShapePattern, logical: LogicalLine, line: int) -> tuple[Rule, ShapePattern | None]:
        """The rule that a logical line holds, and the pattern of its shape, None where it has none yet.

        Raises RuleSyntaxError where Lark does.
        """
        text = logical.text
        counters = _COUNTERS.match(text) if text.startswith("[") else None
        body = text[counters.end() :] if counters else text
        key = (counters is not None, skeleton(body))
        for pattern in self._patterns.get(key, ()):
            match = pattern.match(text, 0)
            if match is not None and match.end() == len(text):
                previous.expect(pattern)
                return pattern.rule(match, line), pattern
        read = self._pieces.read(body) or self._parse(body, len(text) - len(body))
        shape = read.shape()
        tally = Counters(int(counters[1]), int(counters[2])) if counters else None
        self._note(key, shape, read)
        return Rule(shape, read.values, line, tally), None

    def _parse(self, body: str, offset: int) -> ReadByGrammar:
        from ipt_explain.parsing.iptables.rules.rule_parser import parse_rule

        try:
            parsed = parse_rule(body)
        except RuleSyntaxError as error:
            raise RuleSyntaxError(error.column + offset, error.width, error.message, error.expected) from None
        for piece in pieces_of(parsed, body):
            self._pieces.add(piece)
        return ReadByGrammar(parsed, body)

    def _note(self, key: _Key, shape: Shape, read: ReadPieces | ReadByGrammar) -> None:
        """A line without pattern was read. Making one takes as long as reading some more, so it waits for these."""
        times = self._met[key] = self._met.get(key, 0) + 1
        if times < _OFTEN:
            return
        if len(self._patterns) >= _MAX_SKELETONS:
            self._patterns.clear()
        patterns = self._patterns.setdefault(key, [])
        if len(patterns) < _MAX_SHAPES_OF_SKELETON:
            pattern = read.pattern().freely_begun(read.values)
            patterns.append(ShapePattern(shape, pattern, key[0]))
            self.over_lines = self.over_lines or not pattern.one_line
            self._met[key] = 0


class ReadByGrammar:
    """A rule that Lark has read: its values, its shape, and its pattern, which is made when asked for."""

    def __init__(self, parsed: ParsedRule, text: str) -> None:
        self.values = parsed.values
        self._parsed = parsed
        self._text = text

    def shape(self) -> Shape:
        """The shape, interned."""
        return self._parsed.shape

    def pattern(self) -> LinePattern:
        """The pattern of all lines of this form."""
        return pattern_of(self._parsed.tokens, self._text, 0, len(self._text))

