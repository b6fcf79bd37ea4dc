"""The rule lines of a text: whole chains where their layout is known, line by line elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

from ipt_explain.model import Command, Layout, Rule
from ipt_explain.parsing.iptables.assembly import TableBuilder
from ipt_explain.parsing.iptables.logical import LogicalLine
from ipt_explain.parsing.iptables.runs import Run
from ipt_explain.parsing.iptables.shapes.blocks import BLOCK, BlockCache, BlockPattern, Words
from ipt_explain.parsing.iptables.shapes.shapes import ShapeCache, ShapePattern
from ipt_explain.progress import Stage

_AT_ONCE = 512
_Matched = tuple[list[Words], list[int]]
"""The groups of the matches of one pattern, and the lines on which they begin."""


class RuleReader:
    """Reads rules into `table`, or where a text has none into `loose`. `hidden` is the first line of which the saver
    could not print all; `names` are those of chains, by themselves: rules repeat them.

    Rules of one chain that stand one after the other are a run; they are kept back until the run ends, and make the
    chain in one piece. So `end_run` comes before anything else is done to the table.
    """

    def __init__(self, text: str) -> None:
        self.table: TableBuilder | None = None
        self.loose: list[Rule] = []
        self.hidden: int | None = None
        self.names: dict[str, str] = {}
        self._text = text
        self._shapes = ShapeCache()
        self._last = self._shapes.start
        self._blocks = BlockCache()
        self._block_end = 0
        self._run = Run()

    def read_on(self, position: int, line: int, stage: Stage) -> tuple[int, int]:
        """Read rules as long as likely shapes follow; where the next line begins, and its number."""
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
        """Read one rule whose shape is not among the likely ones. Raises RuleSyntaxError where the grammar does."""
        rule, pattern = self._shapes.read(self._last, logical, line)
        self._last = pattern or self._last
        if rule.shape.hidden and self.hidden is None:
            self.hidden = line
        self.place(rule, pattern)

    def place(self, rule: Rule, pattern: ShapePattern | None = None) -> None:
        """Put a rule that stands alone where it belongs."""
        if self.table is None:
            self.loose.append(rule)
        elif rule.shape.command is not Command.APPEND:
            self.end_run()
            self.table.edit(rule)
        elif not self._run.takes_rule(rule, pattern):
            self.end_run().takes_rule(rule, pattern)

    def end_run(self) -> Run:
        """Give the table the rules that were kept back; the next run."""
        run = self._run
        if run.patterns:
            assert self.table is not None
            chain = run.chain()
            self.table.append(chain)
            patterns = [pattern for pattern in run.patterns if pattern is not None]
            if len(patterns) == len(run.patterns):
                self._blocks.note(patterns, chain)
            self._run = Run()
        return self._run

    def _read_blocks(self, position: int, line: int, table: TableBuilder, stage: Stage) -> tuple[int, int]:
        """Whole chains, as long as their layouts have patterns: first some hundred are matched, then made at once."""
        while position >= self._block_end:
            matched, position, line = self._match_blocks(position, line)
            if not matched:
                break
            self.end_run()
            values, layouts, lines, counts = list[Words](), list[Layout](), list[int](), list[Words]()
            for pattern, (groups, begun) in matched.items():
                own, counted = pattern.contents(groups, self.names)
                values += own
                layouts += repeat(pattern.layout, len(begun))
                lines += begun
                counts += counted
            table.append_all(values, layouts, lines, counts)
            stage.done = position
        return position, line

    def _match_blocks(self, position: int, line: int) -> tuple[dict[BlockPattern, _Matched], int, int]:
        """Chains by the patterns that match them; most are like the one before."""
        text, matched = self._text, dict[BlockPattern, _Matched]()
        pattern = None
        for _ in range(_AT_ONCE):
            match = None if pattern is None else pattern.match(text, position)
            if match is None or pattern is None:
                block = BLOCK.match(text, position)
                end = position + 1 if block is None else block.end()
                found = block and self._blocks.find(text, position, text.count("\n", position, end), pattern)
                if not found:
                    self._block_end = end
                    break
                pattern, match = found
                groups, lines = matched.setdefault(pattern, ([], []))
            groups.append(match.groups())
            lines.append(line)
            position, line = match.end(), line + pattern.lines
        return matched, position, line

    def _read_lines(self, position: int, line: int) -> tuple[int, int]:
        """Lines of likely shapes, up to the next block."""
        text, pattern, run = self._text, self._last, self._run
        while True:
            following = pattern.first
            match = following.match(text, position)
            if match is None:
                following = pattern.second
                match = following.match(text, position)
                if match is None:
                    break
            if following.plain:
                if not run.takes(following, match, line):
                    if position >= self._block_end:
                        break
                    run = self.end_run()
                    run.takes(following, match, line)
                line += 1
            else:
                self.place(following.rule(match, line), following)
                run = self._run
                line += text.count("\n", position, match.end())
            if following is not pattern.first:
                pattern.second, pattern.first = pattern.first, following
            pattern = following
            position = match.end()
        self._last = pattern
        return position, line

    def _read_loose(self, position: int, line: int) -> tuple[int, int]:
        text, pattern = self._text, self._last
        while True:
            following = pattern.first
            match = following.match(text, position)
            if match is None:
                following = pattern.second
                match = following.match(text, position)
                if match is None:
                    break
                pattern.second, pattern.first = pattern.first, following
            pattern = following
            self.loose.append(pattern.rule(match, line))
            line += text.count("\n", position, match.end())
            position = match.end()
        self._last = pattern
        return position, line


def read_rules(lines: Iterable[str]) -> list[Rule]:
    """Rules as iptables-save prints them, which are on no line of any text."""
    reader = RuleReader("")
    for line in lines:
        reader.read(LogicalLine.of(line), 0)
    return reader.loose
