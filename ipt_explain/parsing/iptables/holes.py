"""What is missing from a text: the `*table` lines of some parts, and lines that could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.model import Form
from ipt_explain.parsing.iptables.assembly import TableBuilder
from ipt_explain.patterns import lazy_pattern
from ipt_explain.source import SourceText


class Headless:
    """Where such parts stand among the rules outside of tables: `parts` are their first rule and the one after their
    last. `thinned` tells that lines are gone from the middle of the text; `begins_inside`, that the text begins inside
    a table, after its declarations.
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
        """A line outside of a table declares a chain."""
        if self._declared is None:
            self._declared = line

    def close(self, loose: int) -> bool:
        """A table ends that was never begun, after `loose` rules outside of tables. Returns whether there was one."""
        if self._begin == loose and self._declared is None:
            return not self._tables
        if self._tables:
            self.thinned = True
        elif self._declared is None:
            self.begins_inside = True
        self._take(loose)
        return True

    def begin_table(self, loose: int) -> None:
        """A table begins, or the text ends, after so many rules outside of tables."""
        if self._declared is not None:
            self.thinned = self.thinned or self._tables
            self._take(loose)
        self._begin, self._tables = loose, True

    def _take(self, loose: int) -> None:
        self.parts.append((self._begin, loose))
        self._begin, self._declared, self._tables = loose, None, True

    def warnings(self) -> Iterator[str]:
        """That there are such parts."""
        if self.parts:
            parts = "a table" if len(self.parts) == 1 else f"{len(self.parts)} tables"
            yield f"{self._source}: the `*table` line of {parts} is missing; the rules tell which table it is"


_OWN_CHAIN = lazy_pattern(r"(?:^|\s)(?:-[AIDR]|--append|--insert|--delete|--replace)[ \t]+([^ \t\n]+)[ \t]")


class Holes:
    """The holes in one text. `outside` are the chains of lines outside of tables, None for one that does not tell it;
    `nameless` tells that the rules of a table were left out because nobody knows its name.
    """

    def __init__(self) -> None:
        self.outside: set[str | None] = set()
        self.nameless = False

    def note(self, content: str, table: TableBuilder | None) -> None:
        """A line of a table, or outside of tables, could not be read."""
        chain = _OWN_CHAIN.search(content)
        (self.outside if table is None else table.skipped).add(None if chain is None else chain[1])

    def note_above(self, content: str, table: TableBuilder | None) -> None:
        """Lines above this one were left out, so its chain may lack its first rules."""
        if _OWN_CHAIN.search(content):
            self.note(content, table)

    def note_lines(self, numbers: Sequence[int], source: SourceText, sections: Sequence[TableBuilder]) -> None:
        """Lines that were left out before any was read: the tables that begin above them are theirs."""
        for number in numbers:
            above = [section for section in sections if section.line <= number]
            self.note(source.line(number), max(above, key=lambda section: section.line, default=None))

    def everywhere(self, sections: Sequence[TableBuilder]) -> bool:
        """Whether any chain of the text may lack rules: a table is nameless, or a line may be one of a listing, whose
        chains the lines around it do not tell.
        """
        in_listing = None in self.outside and any(section.form is Form.COLUMNS for section in sections)
        return self.nameless or in_listing
