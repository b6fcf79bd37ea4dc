"""One grammar, two speeds: shapes that Lark has parsed once read later lines as compiled patterns.

The pattern of a shape is the text between the values of its first line, and the grammar's terminals in
the place of the values. It has no syntax of its own: what it matches, Lark would read the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ipt_explain.model import Command, Counters, Rule, Shape
from ipt_explain.parsing.iptables.logical import LogicalLine
from ipt_explain.parsing.iptables.rules.rule_errors import RuleSyntaxError
from ipt_explain.parsing.iptables.shapes.patterns import LinePattern, pattern_of, skeleton
from ipt_explain.parsing.iptables.shapes.precompiled import KnownForm, known_forms

if TYPE_CHECKING:
    from ipt_explain.parsing.iptables.rules.rule_parser import ParsedRule

COUNTERS = r"\[([0-9]{1,20}):([0-9]{1,20})\] *"
"""What `iptables-save -c` prints in front of a rule. Two groups: packets and bytes."""

_COUNTERS = re.compile(COUNTERS)

# Dumps have dozens of shapes. A text with more than this is made to have them; remembering all would only cost memory.
_MAX_SKELETONS = 4096
_MAX_SHAPES_OF_SKELETON = 8

_NO_SHAPE = Shape(Command.APPEND, None, (), (), None, ("",), ())

_Key = tuple[bool, str]
"""Whether a rule has counters, and its skeleton."""


class ShapePattern:
    """A shape's compiled pattern, and the two shapes that followed it last: nearly always, one of them follows
    again. `plain` tells that its rules are appended to their chain and stand on one line each.
    """

    __slots__ = ("counted", "first", "line", "match", "plain", "second", "shape")

    def __init__(self, shape: Shape, line: LinePattern, counted: bool) -> None:
        self.shape = shape
        self.line = line
        self.counted = counted
        self.plain = line.one_line and shape.command is Command.APPEND
        pattern = re.compile(rf"{COUNTERS if counted else ''}{line.text}(?:\n|\Z)", re.DOTALL)
        self.match: Callable[[str, int], re.Match[str] | None] = pattern.match
        self.first: ShapePattern = self
        self.second: ShapePattern = self

    def content(self, match: re.Match[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The values and the counters of the rule that a match of this pattern holds."""
        groups = match.groups()
        return (groups[2:], groups[:2]) if self.counted else (groups, ())

    def rule(self, match: re.Match[str], line: int) -> Rule:
        """The rule that a match of this pattern holds."""
        values, counts = self.content(match)
        return Rule(self.shape, values, line, Counters(*map(int, counts)) if counts else None)


class ShapeCache:
    """All patterns seen so far, by the skeleton of a line: its option words, which hint at its shape.

    `start` comes before the first rule and matches none.
    """

    def __init__(self) -> None:
        self.start = ShapePattern(_NO_SHAPE, LinePattern(("(?!)",), ()), counted=False)
        self._patterns: dict[_Key, list[ShapePattern]] = {}
        self._seen_once: dict[_Key, KnownForm] = {}

    def read(self, previous: ShapePattern, logical: LogicalLine, line: int) -> tuple[Rule, ShapePattern | None]:
        """The rule that a logical line holds, and the pattern of its shape, None where it has none yet.

        Raises RuleSyntaxError where Lark does.
        """
        text = logical.text
        counters = _COUNTERS.match(text)
        body = text[counters.end() :] if counters else text
        key = (counters is not None, skeleton(body))
        patterns = self._candidates(key)
        for pattern in patterns:
            match = pattern.match(text, 0)
            if match is not None and match.end() == len(text):
                _remember(previous, pattern)
                return pattern.rule(match, line), pattern
        offset = len(text) - len(body)
        parsed = _parse(body, offset)
        if len(patterns) < _MAX_SHAPES_OF_SKELETON:
            self._seen_once[key] = KnownForm(parsed.shape, pattern_of(parsed, body))
        tally = Counters(int(counters[1]), int(counters[2])) if counters else None
        return Rule(parsed.shape, parsed.values, line, tally), None

    def _candidates(self, key: _Key) -> list[ShapePattern]:
        """The patterns of the shapes that a rule with this skeleton may have: those read before, or shipped.

        Compiling a pattern takes longer than Lark takes for a line, so it waits until a skeleton comes again.
        """
        counted, words = key
        patterns = self._patterns.get(key)
        if patterns is None:
            if len(self._patterns) >= _MAX_SKELETONS:
                self._patterns.clear()
                self._seen_once.clear()
            patterns = [ShapePattern(form.shape, form.pattern, counted) for form in known_forms(words)]
            self._patterns[key] = patterns
        form = self._seen_once.pop(key, None)
        if form is not None:
            patterns.append(ShapePattern(form.shape, form.pattern, counted))
        return patterns


def _parse(body: str, offset: int) -> ParsedRule:
    from ipt_explain.parsing.iptables.rules.rule_parser import parse_rule

    try:
        return parse_rule(body)
    except RuleSyntaxError as error:
        raise RuleSyntaxError(error.column + offset, error.width, error.message, error.expected) from None


def _remember(previous: ShapePattern, pattern: ShapePattern) -> None:
    if previous.first is not pattern:
        previous.second = previous.first
        previous.first = pattern
