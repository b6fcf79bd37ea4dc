"""Reads consecutive rules, one by one or many at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain as flatten
from itertools import repeat
from typing import TYPE_CHECKING

from ipt_explain.model import Chain, Command, Layout, Rule, Shape
from ipt_explain.parsing.iptables.logical import LogicalLine
from ipt_explain.parsing.iptables.shapes.patterns import consecutive
from ipt_explain.parsing.iptables.shapes.shapes import ShapeCache, ShapePattern
from ipt_explain.progress import Work

if TYPE_CHECKING:
    from ipt_explain.parsing.iptables.assembly import TableBuilder
    from ipt_explain.parsing.iptables.shapes.blocks import BlockCache, BlockPattern, Words


class ReadRules:
    """Consecutive rules of one chain. `patterns` are those that read them, None for a rule read by the grammar
    itself."""

    __slots__ = ("_counts", "_lines", "_shapes", "_values", "patterns")

    def __init__(self) -> None:
        self.patterns: list[ShapePattern | None] = []
        self._shapes: list[Shape] = []
        self._values: list[str] = []
        self._lines: list[int] = []
        self._counts: list[str] = []

    def takes(self, pattern: ShapePattern, match: re.Match[str], line: int) -> bool:
        """Add the rule that a pattern has matched. Returns False if it is of another chain."""
        values, counts = pattern.content(match)
        return self._takes(pattern, pattern.shape, values, counts, line)

    def takes_alike(self, pattern: ShapePattern, matches: Sequence[re.Match[str]], line: int) -> int:
        """Add the rules that a plain pattern has matched, up to the first of another chain. Returns their number."""
        rows = list(map(re.Match.groups, matches))
        before = 2 if pattern.counted else 0
        name = self._values[0]
        names = [row[before] for row in rows]
        if names.count(name) < len(names):
            rows = rows[: next(number for number, each in enumerate(names) if each != name)]
        if pattern.counted:
            self._fill_counts()
            self._counts += flatten.from_iterable([row[:before] for row in rows])
        self._values += flatten.from_iterable([row[before + 1 :] for row in rows])
        self.patterns += repeat(pattern, len(rows))
        self._shapes += repeat(pattern.shape, len(rows))
        self._lines += range(line, line + len(rows))
        return len(rows)

    def takes_rule(self, rule: Rule, pattern: ShapePattern | None) -> bool:
        """Add a rule. Returns False if it is of another chain."""
        counts = () if rule.counters is None else (str(rule.counters.packets), str(rule.counters.bytes))
        return self._takes(pattern, rule.shape, rule.values, counts, rule.line)

    def chain(self) -> Chain:
        """The rules as an undeclared chain."""
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
        """Give empty counters to rules without any, if other rules have some."""
        self._counts += [""] * (2 * len(self._shapes) - len(self._counts))


_AT_FIRST, _AT_ONCE = 8, 512
_Matched = tuple[list[re.Match[str]], list[int]]
"""The matches of one pattern, and the lines on which they begin."""


class RuleReader:
    """Reads rules into `table` or, outside of tables, into `loose`.

    `hidden` is the first line that the saver could not print in full; `names` has one string for each chain's name,
    which its rules share.

    Consecutive rules of one chain are a run. They are kept until the run ends, and then make the chain in one piece. So
    call `end_run` before changing the table in any other way.
    """

    def __init__(self, text: str) -> None:
        self.table: TableBuilder | None = None
        self.loose: list[Rule] = []
        self.hidden: int | None = None
        self.names: dict[str, str] = {}
        self._text = text
        self._shapes = ShapeCache()
        self._last = self._shapes.start
        self._block_end = 0
        self._run = ReadRules()

    @cached_property
    def _blocks(self) -> BlockCache:
        """Patterns for whole chains, which only tables need."""
        from ipt_explain.parsing.iptables.shapes.blocks import BlockCache

        return BlockCache()

    @property
    def over_lines(self) -> bool:
        """Whether patterns may read rules that span several lines."""
        return self._shapes.over_lines

    def read_on(self, position: int, line: int, stage: Work) -> tuple[int, int]:
        """Read rules as long as likely shapes follow. Returns where the next line begins, and its number."""
        while True:
            start = stage.done = position
            if self.table is None:
                position, line = self._read_loose(position, line)
            else:
                if position >= self._block_end:
                    position, line = self._read_blocks(position, line, self.table, stage)
                position, line = self._read_lines(position, line)
            if position == start:
                return position, line

    def read(self, logical: LogicalLine, line: int) -> None:
        """Read one rule that has none of the likely shapes. Raises RuleSyntaxError if the grammar does."""
        rule, pattern = self._shapes.read(self._last, logical, line)
        self._last = pattern or self._last
        if self.hidden is None and rule.shape.hidden and " -m ... " not in logical.text:
            self.hidden = line
        self.place(rule, pattern)

    def place(self, rule: Rule, pattern: ShapePattern | None) -> None:
        """Add a single rule where it belongs."""
        if self.table is None:
            self.loose.append(rule)
        elif rule.shape.command is not Command.APPEND:
            self.end_run()
            self.table.edit(rule)
        elif not self._run.takes_rule(rule, pattern):
            self.end_run().takes_rule(rule, pattern)

    def end_run(self) -> ReadRules:
        """Add the rules that were kept to the table. Returns the next run."""
        run = self._run
        if run.patterns:
            assert self.table is not None
            chain = run.chain()
            self.table.append(chain)
            patterns = [pattern for pattern in run.patterns if pattern is not None]
            if len(patterns) == len(run.patterns):
                self._blocks.note(patterns, chain)
            self._run = ReadRules()
        return self._run

    def _read_blocks(self, position: int, line: int, table: TableBuilder, stage: Work) -> tuple[int, int]:
        """Read whole chains as long as their layouts have patterns: some hundred are matched, then made all at once."""
        while position >= self._block_end:
            matched, position, line = self._match_blocks(position, line)
            if not matched:
                break
            self.end_run()
            values: list[Words] = []
            layouts: list[Layout] = []
            lines: list[int] = []
            counts: list[Words] = []
            for pattern, (matches, begun) in matched.items():
                own, counted = pattern.contents(matches, self.names)
                values += own
                layouts += repeat(pattern.layout, len(begun))
                lines += begun
                counts += counted
            table.append_all(values, layouts, lines, counts)
            stage.done = position
        return position, line

    def _match_blocks(self, position: int, line: int) -> tuple[dict[BlockPattern, _Matched], int, int]:
        """Match chains, grouped by their patterns; most are like the one before."""
        text, left = self._text, _AT_ONCE
        matched: dict[BlockPattern, _Matched] = {}
        pattern = None
        while left > 0:
            pattern, chains, end = self._blocks.find(text, position, left, pattern)
            if pattern is None:
                self._block_end = end
                break
            matches, lines = matched.setdefault(pattern, ([], []))
            matches += chains
            following = line + len(chains) * pattern.lines
            lines += range(line, following, pattern.lines)
            position, line, left = chains[-1].end(), following, left - len(chains)
        return matched, position, line

    def _read_lines(self, position: int, line: int) -> tuple[int, int]:
        """Read lines of likely shapes, up to the next block."""
        text, pattern, run = self._text, self._last, self._run
        while True:
            found = pattern.follow(text, position)
            if found is None:
                break
            following, match = found
            if not following.plain:
                self.place(following.rule(match, line), following)
                run = self._run
                line += text.count("\n", position, match.end())
                position = match.end()
            elif run.takes(following, match, line):
                line += 1
                position = match.end()
                if following is pattern:
                    position, line = self._read_alike(pattern, position, line)
            elif position >= self._block_end:
                break
            else:
                run = self.end_run()
                run.takes(following, match, line)
                line += 1
                position = match.end()
            pattern = following
        self._last = pattern
        return position, line

    def _read_alike(self, pattern: ShapePattern, position: int, line: int) -> tuple[int, int]:
        """Read more rules of the chain as long as they have this plain pattern."""
        most = _AT_FIRST
        while True:
            found = consecutive(pattern.scanner, self._text, position, most)
            taken = self._run.takes_alike(pattern, found, line) if found else 0
            if taken:
                position, line = found[taken - 1].end(), line + taken
            if taken < most:
                return position, line
            most = min(2 * most, _AT_ONCE)

    def _read_loose(self, position: int, line: int) -> tuple[int, int]:
        text, pattern = self._text, self._last
        while True:
            found = pattern.follow(text, position)
            if found is None:
                break
            pattern, match = found
            self.loose.append(pattern.rule(match, line))
            line += text.count("\n", position, match.end())
            position = match.end()
        self._last = pattern
        return position, line


def read_rules(lines: Iterable[str]) -> list[Rule]:
    """Rules as iptables-save prints them, without line numbers."""
    reader = RuleReader("")
    for line in lines:
        reader.read(LogicalLine.of(line), 0)
    return reader.loose
