"""Rules of one chain that stand one after the other, collected while they are read one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ipt_explain.model import Chain, Layout, Rule, Shape
from ipt_explain.parsing.iptables.shapes.shapes import ShapePattern


class Run:
    """The rules so far. `patterns` are those that read them, None for a rule that the grammar itself has read."""

    __slots__ = ("_counts", "_lines", "_shapes", "_values", "patterns")

    def __init__(self) -> None:
        self.patterns: list[ShapePattern | None] = []
        self._shapes: list[Shape] = []
        self._values: list[str] = []
        self._lines: list[int] = []
        self._counts: list[str] = []

    def takes(self, pattern: ShapePattern, match: re.Match[str], line: int) -> bool:
        """Take the rule that a pattern has matched; False where it is of another chain."""
        values, counts = pattern.content(match)
        return self._takes(pattern, pattern.shape, values, counts, line)

    def takes_rule(self, rule: Rule, pattern: ShapePattern | None) -> bool:
        """Take a rule; False where it is of another chain."""
        counts = () if rule.counters is None else (str(rule.counters.packets), str(rule.counters.bytes))
        return self._takes(pattern, rule.shape, rule.values, counts, rule.line)

    def chain(self) -> Chain:
        """The rules as a chain that nothing declares."""
        layout = Layout.of(tuple(self._shapes))
        first, last = self._lines[0], self._lines[-1]
        lines = first if last - first == len(self._lines) - 1 else tuple(self._lines)
        if self._counts:
            self._fill_counts()
        return Chain(tuple(self._values), layout, lines, tuple(self._counts))

    def _takes(
        self, pattern: ShapePattern | None, shape: Shape, values: Sequence[str], counts: Sequence[str], line: int
    ) -> bool:
        if not self._values:
            self._values += values
        elif self._values[0] == values[0]:
            self._values += values[1:]
        else:
            return False
        if counts:
            self._fill_counts()
            self._counts += counts
        self.patterns.append(pattern)
        self._shapes.append(shape)
        self._lines.append(line)
        return True

    def _fill_counts(self) -> None:
        """Rules without counters have empty ones beside those of others."""
        self._counts += [""] * (2 * len(self._shapes) - len(self._counts))
