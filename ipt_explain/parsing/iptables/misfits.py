"""Lines that do not belong in a dump, and what they leave unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ipt_explain.errors import Diagnostic, DumpSyntaxError, RuleSyntaxError
from ipt_explain.model import Form
from ipt_explain.model.dump import SourceText
from ipt_explain.parsing.iptables.logical import LogicalLine
from ipt_explain.patterns import lazy_pattern
from ipt_explain.words import counted

if TYPE_CHECKING:
    from ipt_explain.parsing.iptables.assembly import TableBuilder

_MAX_DIAGNOSTICS = 20


class Misfits:
    """The misfits of one source. The modules that diagnose them are loaded only if there is one."""

    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._diagnostics: list[Diagnostic] = []
        self._notes: Counter[str] = Counter()
        self.count = 0

    def meant(self, content: str) -> tuple[str, str] | None:
        """The line without what can safely be ignored around it, and what that is; None if nothing can."""
        from ipt_explain.parsing.iptables.diagnosis import safe_normalisation

        return safe_normalisation(content)

    def note(self, ignored: str) -> None:
        """Note that a line was read after all; `ignored` is "" if nothing needs to be said."""
        if ignored:
            self._notes[ignored] += 1

    def add(self, diagnostics: Sequence[Diagnostic], count: int) -> None:
        """Add lines that another reader of the text has refused; `diagnostics` are about the first of them."""
        self.count += count
        self._diagnostics += diagnostics[: _MAX_DIAGNOSTICS - len(self._diagnostics)]

    def refuse(self, content: str, line: int) -> None:
        """Refuse a line that does not belong in a dump."""
        self.count += 1
        if len(self._diagnostics) < _MAX_DIAGNOSTICS:
            from ipt_explain.parsing.iptables.diagnosis import diagnose, foreign_line

            found = diagnose(content, self._source.line(line - 1)) or foreign_line(content)
            self._diagnostics.append(found.at(self._source.name, line, self._source.line(line)))

    def refuse_rule(self, logical: LogicalLine, line: int, error: RuleSyntaxError, shift: int = 0) -> None:
        """Refuse a line that begins like a rule, after `shift` characters that may be ignored, but is not one to the
        grammar."""
        self.count += 1
        if len(self._diagnostics) < _MAX_DIAGNOSTICS:
            from ipt_explain.parsing.iptables.diagnosis import diagnose

            found = diagnose(logical.text)
            at, column = logical.place(line, error.column if found is None else found.column)
            column += shift
            excerpt = self._source.line(at)
            if found is None:
                diagnostic = Diagnostic(
                    self._source.name, at, column, error.message, excerpt, error.width, error.expected
                )
            else:
                diagnostic = Diagnostic(
                    self._source.name, at, column, found.message, excerpt, found.width, found.expected, found.remedy
                )
            self._diagnostics.append(diagnostic)

    def error(self, read_nothing: bool) -> DumpSyntaxError:
        """The error for all misfits; a single diagnostic if the whole input is something else."""
        from ipt_explain.parsing.iptables.diagnosis import recognise
        from ipt_explain.parsing.iptables.diagnosis.prefixes import DIFF

        if read_nothing:
            whole = recognise(self._source.text)
            if whole is not None:
                return DumpSyntaxError(
                    (whole.diagnosis.at(self._source.name, whole.line, self._source.line(whole.line)),)
                )
        found = sorted(self._diagnostics, key=lambda each: each.line)
        of_diff = next((each for each in found if each.message == DIFF), None)
        return DumpSyntaxError(tuple(found), self.count) if of_diff is None else DumpSyntaxError((of_diff,))

    def require_some_dump(self) -> None:
        """Raise DumpSyntaxError if the input, of which nothing was read, is something else. An empty input is a
        dump."""
        from ipt_explain.parsing.iptables.diagnosis import recognise

        whole = recognise(self._source.text)
        if whole is not None and self._source.text.strip():
            diagnostic = whole.diagnosis.at(self._source.name, whole.line, self._source.line(whole.line))
            raise DumpSyntaxError((diagnostic,))

    @property
    def warnings(self) -> list[str]:
        """What was ignored around lines, and how often; how many lines were skipped."""
        name = self._source.name
        said = [f"{name}: {counted(count, 'line')}: {ignored}" for ignored, count in self._notes.items()]
        if self.count:
            verb = "is" if self.count == 1 else "are"
            said.append(f"{name}: skipped {counted(self.count, 'line')} that {verb} not iptables-save syntax")
        return said


class Headless:
    """Finds parts of tables without their `*table` line among the rules outside of tables.

    `parts` are the numbers of their first rule and of the rule after their last. `thinned`: lines are missing from the
    middle of the text. `begins_inside`: the text begins inside a table, after its declarations.
    """

    def __init__(self, source: str) -> None:
        self.parts: list[tuple[int, int]] = []
        self.thinned = False
        self.begins_inside = False
        self._source = source
        self._tables = False
        self._begin = 0
        self._declared: int | None = None

    def declare(self, line: int) -> None:
        """Note that a line outside of a table declares a chain."""
        if self._declared is None:
            self._declared = line

    def close(self, loose: int) -> bool:
        """Note the end of a table that never began, after `loose` rules outside of tables. Returns whether there was
        one."""
        if self._begin == loose and self._declared is None:
            return not self._tables
        if self._tables:
            self.thinned = True
        elif self._declared is None:
            self.begins_inside = True
        self._take(loose)
        return True

    def begin_table(self, loose: int) -> None:
        """Note that a table begins, or the text ends, after `loose` rules outside of tables."""
        if self._declared is not None:
            self.thinned = self.thinned or self._tables
            self._take(loose)
        self._begin, self._tables = loose, True

    def _take(self, loose: int) -> None:
        self.parts.append((self._begin, loose))
        self._begin, self._declared, self._tables = loose, None, True

    def warnings(self) -> Iterator[str]:
        """A warning if there are such parts."""
        if self.parts:
            parts = "a table" if len(self.parts) == 1 else f"{len(self.parts)} tables"
            yield f"{self._source}: the `*table` line of {parts} is missing; the rules show which table it is"


_OWN_CHAIN = lazy_pattern(r"(?:^|\s)(?:-[AIDR]|--append|--insert|--delete|--replace)[ \t]+([^ \t\n]+)[ \t]")


class Holes:
    """The holes in one text. `outside` are the chains of unreadable lines outside of tables, None for a line whose
    chain is unknown. `nameless`: the rules of a table were left out because its name is unknown."""

    def __init__(self) -> None:
        self.outside: set[str | None] = set()
        self.nameless = False

    def note(self, content: str, table: TableBuilder | None) -> None:
        """Note that a line of a table, or outside of tables, could not be read."""
        chain = _OWN_CHAIN.search(content)
        (self.outside if table is None else table.skipped).add(None if chain is None else chain[1])

    def note_above(self, content: str, table: TableBuilder | None) -> None:
        """Note that lines above this one were left out, so its chain may lack its first rules."""
        if _OWN_CHAIN.search(content):
            self.note(content, table)

    def note_lines(self, numbers: Sequence[int], source: SourceText, sections: Sequence[TableBuilder]) -> None:
        """Note lines that were left out before reading. Each belongs to the last section that begins above it."""
        for number in numbers:
            above = [section for section in sections if section.line <= number]
            self.note(source.line(number), max(above, key=lambda section: section.line, default=None))

    def everywhere(self, sections: Sequence[TableBuilder]) -> bool:
        """Whether any chain of the text may lack rules: a table is nameless, or a line may belong to a listing, where
        the lines around it do not show its chain."""
        in_listing = None in self.outside and any(section.form is Form.COLUMNS for section in sections)
        return self.nameless or in_listing
