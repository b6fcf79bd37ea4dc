"""What one input held, gathered into rulesets: sections, loose rules, tables that the saver could not print."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.model import Backend, Extent, Family, Form, Rule, Ruleset, Table
from ipt_explain.parsing.iptables.assembly import (
    RulesetBuilder,
    TableBuilder,
    chains_of,
    families_of,
    listed_table,
    table_form,
)
from ipt_explain.parsing.iptables.fragments import split_fragment
from ipt_explain.parsing.iptables.headers import Generator
from ipt_explain.parsing.pastes.extents import THINNED


class Gathering:
    """The rulesets of one source while they are put together. `incomplete`: lines of the text were left out, so what
    is absent is unknown.
    """

    def __init__(self, source: str, incomplete: bool) -> None:
        self._source = source
        self._incomplete = incomplete
        self._rulesets: dict[tuple[Family, Backend | None], RulesetBuilder] = {}
        self.warnings: list[str] = []

    def rulesets(self) -> tuple[Ruleset, ...]:
        """The rulesets, in the order in which the text began them."""
        return tuple(builder.build() for builder in self._rulesets.values())

    def add_sections(self, sections: Sequence[TableBuilder]) -> None:
        """`*table` sections and `iptables -S` listings."""
        for section, family in zip(sections, families_of(sections)):
            last = section is sections[-1]
            builder = self._builder(family, section.generator.backend if section.generator else section.backend)
            if section.name is None:
                self._add_listing(builder, section, last)
                continue
            if not section.committed:
                self.warnings.append(
                    f"{self._source}:{section.line}: table {section.name} has no COMMIT: is the text cut off?"
                )
            form = self._form(table_form(section))
            table = section.build(section.name, section.extents(form, last))
            cut = form is Form.SAVE and not table.whole
            builder.add(table, Form.FRAGMENT if cut else form, section.generator)

    def add_loose(self, rules: Sequence[Rule]) -> None:
        """Bare rules: of the ruleset of their family, if there is one."""
        for (family_shown, table), members in split_fragment(rules).items():
            family = family_shown or next((key[0] for key in self._rulesets), Family.IPV4)
            backend = next((key[1] for key in self._rulesets if key[0] is family), None)
            fragment = Table(table, chains_of(members), extent=Extent.SOME)
            self._builder(family, backend).add(fragment, Form.FRAGMENT, None)

    def add_unreadable(self, generator: Generator | None, table: str) -> None:
        """A table that the saver named and could not print; only the nft backend has such."""
        family, backend = (generator.family, generator.backend) if generator else (Family.IPV4, Backend.NFT)
        self._builder(family, backend).unreadable.append(table)

    def _add_listing(self, builder: RulesetBuilder, section: TableBuilder, last: bool) -> None:
        name = listed_table(section)
        if name is not None:
            form = self._form(section.form)
            builder.add(section.build(name, section.extents(form, last)), form, None)
            return
        # Some chains of `iptables -S CHAIN`: its declarations say nothing of the table, its rules do.
        rules = list(section.rules())
        tables = {table for _, table in split_fragment(rules)} or {"filter"}
        table = section.build(tables.pop() if len(tables) == 1 else "nat", section.shown or THINNED)
        builder.add(table, section.form if section.form is Form.COLUMNS else Form.FRAGMENT, None)

    def _form(self, form: Form) -> Form:
        return Form.FRAGMENT if self._incomplete else form

    def _builder(self, family: Family, backend: Backend | None) -> RulesetBuilder:
        key = (family, backend)
        if key not in self._rulesets:
            self._rulesets[key] = RulesetBuilder(self._source, family, backend)
        return self._rulesets[key]
