"""The tables of one family and backend, put together from the outputs that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipt_explain.model import Backend, Family, Form, Ruleset, Table
from ipt_explain.parsing.iptables.headers import Generator
from ipt_explain.records import replace

if TYPE_CHECKING:
    from ipt_explain.parsing.pastes.merging import Conflict


class RulesetBuilder:
    """The tables of one family and backend."""

    def __init__(self, source: str, family: Family, backend: Backend | None) -> None:
        self.source = source
        self.family = family
        self.backend = backend
        self.generator: str | None = None
        self.saved: tuple[int, int] | None = None
        self.conflicts: list[Conflict] = []
        self._tables: dict[str, Table] = {}
        self._forms: dict[str, Form] = {}
        self._redeclared: dict[str, list[int]] = {}

    def add(self, table: Table, form: Form, generator: Generator | None) -> None:
        """Takes a table in. Of two sections the later replaces the earlier, as iptables-restore has it; what several
        commands printed of one table is joined.
        """
        if generator is not None and self.generator is None:
            self.generator = generator.text
            self.saved = generator.saved
        before = self._tables.get(table.name)
        redeclared, own = self._redeclared.setdefault(table.name, []), table.redeclared
        if before is not None:
            from ipt_explain.parsing.pastes.merging import join_tables, replaced

            known = self._forms[table.name]
            if form in _COMPLETE and known in _COMPLETE:
                if table.line is not None:
                    redeclared.append(table.line)
                conflict = replaced(before, table) if form is known is Form.SAVE else None
                self.conflicts += () if conflict is None else (conflict,)
            else:
                table, conflicts = join_tables(before, table)
                self.conflicts += conflicts
                form = min(form, known, key=_LESS_COMPLETE.index) if table.whole else _worse(form, known)
        redeclared += own
        self._tables[table.name] = table
        self._forms[table.name] = form

    def build(self) -> Ruleset:
        """The ruleset; it is only as complete as its least complete table."""
        form = max(self._forms.values(), key=_LESS_COMPLETE.index, default=Form.SAVE)
        tables = {
            name: replace(table, redeclared=tuple(self._redeclared[name])) for name, table in self._tables.items()
        }
        return Ruleset(self.source, self.family, self.backend, self.generator, form, tables, self.saved)


def _worse(first: Form, second: Form) -> Form:
    return max(first, second, key=_LESS_COMPLETE.index)


_COMPLETE = (Form.SAVE, Form.RESTORE)
"""Sections of which a second one replaces the first, as iptables-restore has it."""

_LESS_COMPLETE = (Form.SAVE, Form.LISTING, Form.COLUMNS, Form.RESTORE, Form.FRAGMENT)
