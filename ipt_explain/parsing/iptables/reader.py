"""Text to dump: the loop over lines. Rules are read by their shape's pattern, other lines by their first character."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ipt_explain.collector import collector_paused
from ipt_explain.errors import RuleSyntaxError
from ipt_explain.model import Counters, Dump
from ipt_explain.model.dump import SourceText
from ipt_explain.model.node import NOTHING_KNOWN
from ipt_explain.parsing.iptables.clearing import Cleared, has_odd_lines
from ipt_explain.parsing.iptables.fragments import ends_in_half
from ipt_explain.parsing.iptables.gathering import Gathering
from ipt_explain.parsing.iptables.logical import LogicalLine, lacks_word, last_word, readings
from ipt_explain.parsing.iptables.misfits import Headless, Holes
from ipt_explain.parsing.iptables.plain_lines import CHAIN, COUNT, PlainLines
from ipt_explain.parsing.iptables.rule_reader import RuleReader
from ipt_explain.patterns import lazy_pattern
from ipt_explain.progress import Work, begin

if TYPE_CHECKING:
    from ipt_explain.parsing.iptables.assembly import TableBuilder

_PLAIN_CHAINS = lazy_pattern(r":((?:[!-~]+ - \[0:0\]\n:){0,999}[!-~]+) - \[0:0\]\n")
_HOOK = lazy_pattern(r":((?:PRE|POST)ROUTING|INPUT|FORWARD|OUTPUT)[ \t]")
_ANY_CHAIN = lazy_pattern(r":([^ \t\n]+)")
_RULE = lazy_pattern(rf"(?:\[{COUNT}:{COUNT}\] *)?(?:-[AIDR]|--append|--insert|--delete|--replace)[ \t]")
_END = lazy_pattern(r"\s*\Z")
_MOST_MENDED = 500
"""Nobody has written remarks at more rules than this, and to look for them takes as long as reading."""
_LONG = 1 << 16
"""Shorter texts than this are read in no time; so are those that a stage of other work reads."""
_NARROWEST = 60
"""No window of fewer columns cuts lines off."""


def read_dump(text: str, source: str = "-", lenient: bool = False) -> Dump:
    """Reads what iptables-save (or -S, or restore input, or a fragment of either) printed.

    Raises DumpSyntaxError for text that is none of these; with `lenient`, skips such lines and says so in the
    dump's warnings. Cost and memory grow linearly with the text.
    """
    with collector_paused():
        reader, dump = _read(text, source, lenient)
        if not reader.misfits:
            return dump
        if reader.misfits <= _MOST_MENDED:
            mended = _Reader(text, source, lenient, mending=True)
            better = mended.read()
            if mended.misfits < reader.misfits:
                reader, dump = mended, better
        if not reader.misfits:
            return dump
        cut_off = reader.cut_off()
        if cut_off:
            narrow = _Reader(text, source, lenient, cut_off)
            narrowed = narrow.read()
            if narrowed.rulesets and not narrow.misfits:
                return narrowed
        reader.refuse()
        return dump


def _read(text: str, source: str, lenient: bool) -> tuple[_Reader, Dump]:
    with suppress(_OddLine):
        reader = _Reader(text, source, lenient, trusting=True)
        return reader, reader.read()
    reader = _Reader(text, source, lenient)
    return reader, reader.read()


class _OddLine(Exception):
    """A reader that trusted its text to have only lines like those of iptables-save has met another."""


class _Reader:
    """Reads one text. `trusting`: it may raise _OddLine, which saves the search for odd lines that few texts have.
    `mending`: another reader could not read some line."""

    def __init__(
        self, text: str, source: str, lenient: bool, cut_off: Sequence[int] = (), trusting: bool = False,
        mending: bool = False,
    ) -> None:  # fmt: skip
        self._cleared = Cleared(text, source, cut_off, trusting, mending)
        self._text = self._cleared.text
        self._source = self._cleared.source
        self._misfits = self._cleared.misfits
        self._lenient = lenient
        self._read_nothing = False
        self._cut_off = cut_off
        self._holes = Holes()
        self._rules = RuleReader(self._text)
        self._headless = Headless(source)
        self._plain = PlainLines(self._cleared, self._rules, self._headless, self._holes)

    @property
    def misfits(self) -> int:
        """How many lines could not be read."""
        return self._misfits.count

    def cut_off(self) -> tuple[int, ...]:
        """The lines that a window may have cut off, if some cannot be read."""
        from ipt_explain.parsing.pastes.broken.windows import lines_cut_off

        return lines_cut_off(self._source.text)

    def refuse(self) -> None:
        """Raises DumpSyntaxError for what could not be read, unless lenient."""
        if not self._lenient:
            raise self._misfits.error(self._read_nothing)

    def read(self) -> Dump:
        text, length = self._text, len(self._text)
        position, line = 0, 1
        stage = begin("reading", length) if length > _LONG else Work("reading", length)
        while position < length:
            stage.done = position
            first = text[position]
            if first == "-" or first == "[":
                position, line = self._rules.read_on(position, line, stage)
                if position < length:
                    position, line = self._read_odd_line(position, line)
            elif first == "\n":  # many, where something has been taken out
                self._trust(position, position)
                self._rules.end_run()
                while text.startswith("\n", position):
                    position, line = position + 1, line + 1
            elif first == ":" and self._rules.table is not None:
                position, line = self._read_chains(position, line, self._rules.table)
            else:
                end = text.find("\n", position)
                end = length if end < 0 else end
                self._trust(position, end)
                self._read_line(text[position:end], line)
                position, line = end + 1, line + 1
        self._trust(length, length)
        return self._finish()

    def _trust(self, start: int, end: int) -> None:
        """Raise _OddLine if these lines are odd, or if a pattern may have read odd lines."""
        if self._cleared.unsearched and (self._rules.over_lines or has_odd_lines(self._text, start, end)):
            raise _OddLine

    def _read_odd_line(self, position: int, line: int) -> tuple[int, int]:
        """Read a line that begins like a rule but has none of the likely shapes."""
        text = self._text
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        self._trust(position, end)
        if not text.startswith("-A ", position) and not _RULE.match(text, position, end):
            self._read_line(text[position:end], line)
            return end + 1, line + 1
        refused: tuple[LogicalLine, RuleSyntaxError] | None = None
        inside = bool(self._rules.loose or self._rules.table is not None)
        last = inside and (end == len(text) or (lacks_word(text[position:end]) and _END.match(text, end) is not None))
        for logical in readings(text, position, end):
            if logical.unterminated and inside and _END.match(text, end):
                self._leave_out_half_line(line)
                return end + 1, line + 1
            self._trust(position, logical.end)
            try:
                self._rules.read(logical, line)
            except RuleSyntaxError as error:
                if refused is None or refused[0].end != end:
                    refused = (logical, error)
                continue
            if logical.unterminated:
                self._cleared.warnings.append(
                    f"{self._source.name}:{line}: a quote is never closed, so the rest of the line is part of the value"
                )
            return logical.end + 1, line + text.count("\n", position, logical.end) + 1
        assert refused is not None
        logical, reason = refused
        if self._read_meant(text[position:end], line, last) or self._is_cut(logical, line, reason):
            pass
        elif last and reason.column > last_word(logical.text):
            self._leave_out_half_line(line)
        else:
            self._misfits.refuse_rule(logical, line, reason)
            self._holes.note(logical.text, self._rules.table)
        if logical.joints:
            return logical.end + 1, line + text.count("\n", position, logical.end) + 1
        return end + 1, line + 1

    def _leave_out_half_line(self, line: int) -> None:
        """Leave out the last line: the text ends inside it."""
        self._cleared.warnings.append(f"{self._source.name}:{line}: the text ends inside this line, which was left out")
        self._cleared.elided = True

    def _is_cut(self, logical: LogicalLine, line: int, reason: RuleSyntaxError) -> bool:
        """Whether a line outside of tables was cut off by the window of a pager or editor."""
        text = logical.text.rstrip(" \t")
        if self._rules.table is not None or not self._rules.loose or len(text) < _NARROWEST:
            return False
        if reason.column <= last_word(text):
            return False
        self._cleared.warnings.append(f"{self._source.name}:{line}: this line is cut off at its end, and was left out")
        self._cleared.elided = True
        return True

    def _read_chains(self, position: int, line: int, table: TableBuilder) -> tuple[int, int]:
        self._rules.end_run()
        text = self._text
        found = (_ANY_CHAIN if table.elided else _HOOK).match(text, position)
        if found is not None and table.begins_anew(found[1]):
            table.ended = True
            self._rules.table = None
            return position, line
        plain = _PLAIN_CHAINS.match(text, position)
        if plain is not None:
            names = plain[1].split(" - [0:0]\n:")
            table.declare_plainly(names, line)
            self._rules.names.update(zip(names, names))
            return plain.end(), line + len(names)
        match = CHAIN.match(text, position)
        if match is None:
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            self._read_line(text[position:end], line)
            return end + 1, line + 1
        name, policy, packets, size = match.groups()
        counters = None if packets is None or packets == size == "0" else Counters(int(packets), int(size))
        table.declare(name, None if policy == "-" else policy, counters, line)
        return match.end(), line + 1

    def _read_line(self, content: str, line: int) -> None:
        """Read any line but a rule. A misfit is read without what surrounds it, or refused."""
        self._rules.end_run()
        if not self._plain.read(content, line) and not self._read_meant(content, line):
            self._misfits.refuse(content, line)
            self._holes.note(content, self._rules.table)

    def _read_meant(self, content: str, line: int, last: bool = False) -> bool:
        """Read a misfit without what can safely be ignored around it. Returns whether the line is dealt with. `last`:
        nothing follows a rule, so it may be incomplete."""
        found = self._misfits.meant(content)
        if found is None:
            return False
        meant, ignored = found
        if _RULE.match(meant):
            try:
                self._rules.read(LogicalLine.of(meant), line)
            except RuleSyntaxError as error:
                if meant not in content or (last and error.column > last_word(meant)):
                    return False
                self._misfits.refuse_rule(LogicalLine.of(meant), line, error, content.index(meant))
                self._holes.note(meant, self._rules.table)
                return True
        elif not self._plain.read(meant, line):
            return False
        self._misfits.note(ignored)
        return True

    def _finish(self) -> Dump:
        self._rules.end_run()
        taken, nft = self._cleared.ipvs, self._cleared.nft
        read_nothing = not self._cleared.sections and not self._rules.loose and taken is None and nft is None
        if self._misfits.count and not self._lenient:
            self._read_nothing = read_nothing
            return Dump(self._source.name, (), self._source, ())
        if read_nothing and not self._plain.unreadable and not self._lenient and not self._cut_off:
            self._misfits.require_some_dump()
        self._cleared.warnings += self._misfits.warnings
        self._holes.note_lines(self._cleared.refused, self._source, self._cleared.sections)
        self._headless.begin_table(len(self._rules.loose))
        self._cleared.warnings += self._headless.warnings()
        if self._rules.hidden is not None:
            self._cleared.warnings.append(
                f"{self._source.name}:{self._rules.hidden}: an iptables older than the one that wrote this rule"
                " could not print all of it, and perhaps not all of later ones, so it counts as unknown; save again"
                " with the iptables of kube-proxy's image, or upgrade the node's"
            )
        self._cleared.leave_out_commands()
        incomplete = self._cleared.elided or self._holes.everywhere(self._cleared.sections)
        gathering = Gathering(self._source.name, incomplete, self._headless, self._holes.outside)
        gathering.add_sections(sorted(self._cleared.sections, key=lambda section: section.line))
        if self._rules.loose and ends_in_half(self._rules.loose, self._text):
            self._leave_out_half_line(self._rules.loose.pop().line)
        loose, beside = self._rules.loose, self._cleared.beside
        if beside:
            loose = sorted([*loose, *beside], key=lambda rule: rule.line)
        gathering.add_loose(loose, SourceText(self._source.name, self._text))
        others = gathering.add_unreadable(self._plain.unreadable, nft)
        self._cleared.warnings += gathering.warnings
        facts = NOTHING_KNOWN
        if taken is not None:
            facts = taken.facts
            self._cleared.warnings += taken.warnings
        if nft is not None:
            nft = nft.completed(others)
            self._cleared.warnings += nft.warnings
        tables = None if nft is None else nft.ruleset
        rulesets = gathering.rulesets()
        shown = {ruleset.family for ruleset in rulesets}
        failed = tuple(dict.fromkeys(each for each, sure in self._plain.failed if sure or not each.families & shown))
        warnings = (*self._cleared.warnings, *(f"{each.source}: {each}" for each in failed))
        return Dump(self._source.name, rulesets, self._source, warnings, facts, tables, failed)
