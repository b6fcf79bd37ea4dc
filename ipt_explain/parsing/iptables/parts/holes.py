"""What lines that could not be read leave unknown: their own chain, where they tell it, else any of their table's."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.model import Form
from ipt_explain.parsing.iptables.assembly import TableBuilder
from ipt_explain.patterns import lazy_pattern
from ipt_explain.source import SourceText

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
