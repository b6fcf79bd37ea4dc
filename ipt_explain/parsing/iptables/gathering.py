"""The contents of one input, gathered into rulesets: sections, loose rules, tables that the saver could not print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ipt_explain.model import Backend, Chain, Extent, Family, Form, Rule, Ruleset, Table
from ipt_explain.model.dump import SourceText
from ipt_explain.parsing.iptables.fragments import Place, family_of_rules, places_of
from ipt_explain.parsing.iptables.misfits import Headless
from ipt_explain.parsing.iptables.outputs import Repeat, outputs_of
from ipt_explain.parsing.iptables.rulesets import Generator, RulesetBuilder

if TYPE_CHECKING:
    from ipt_explain.parsing.iptables.assembly import TableBuilder
    from ipt_explain.parsing.nft.taking_out import TakenRuleset
    from ipt_explain.parsing.pastes.merging import Conflict

_MOST_CONFLICTS = 5
_MOST_REPEATS = 3


class Gathering:
    """The rulesets of one source while they are put together.

    `incomplete`: lines of the text were left out, so what is absent is unknown. `headless` are the parts of tables
    among the rules outside of tables. `skipped` are the chains of lines there that could not be read, None for a line
    whose chain is unknown.
    """

    def __init__(self, source: str, incomplete: bool, headless: Headless, skipped: set[str | None]) -> None:
        self._source = source
        self._incomplete = incomplete
        self._headless = headless
        self._skipped = skipped
        self._moved: list[Rule] = []
        self._thinned = False
        self._rulesets: dict[tuple[Family, Backend | None], RulesetBuilder] = {}
        self._backends: dict[Family, Backend] = {}
        self._warnings: list[str] = []

    def rulesets(self) -> tuple[Ruleset, ...]:
        """The rulesets, in the order in which the text began them."""
        return tuple(builder.build() for builder in self._rulesets.values())

    def add_sections(self, sections: Sequence[TableBuilder]) -> None:
        """Add `*table` sections and listings. Those that do not name their backend get that of their family's
        others."""
        families = _families_of(sections)
        for section, family in zip(sections, families):
            backend = section.generator.backend if section.generator else section.backend
            if backend is not None:
                self._backends.setdefault(family, backend)
        thinned = self._headless.thinned or any(each.lacks_lines(each is sections[-1]) for each in sections)
        self._thinned = thinned
        if thinned:
            self._warnings.append(
                f"{self._source}: lines are missing from the middle of this input, so what is not in it is unknown"
            )
        for section, family in zip(sections, families):
            builder = self._builder(family, section.generator.backend if section.generator else section.backend)
            if section.name is None:
                self._add_listing(builder, section, section is sections[-1])
            else:
                self._add_table(builder, section, section.name, section is sections[-1])

    def add_loose(self, rules: Sequence[Rule], source: SourceText) -> None:
        """Add bare rules, to the ruleset of their family if there is one."""
        rules = [*rules, *self._moved]
        skipped = self._skipped
        thinned = self._thinned or not skipped <= {rule.chain for rule in rules}
        place_of = dict(zip(map(id, rules), self._places(rules)))
        shown: dict[Place, dict[str, list[list[Rule]]]] = {}
        outputs = outputs_of(rules, source)
        self._warnings += _repeated(outputs.repeats, self._source)
        for output in outputs.rules:
            parts: dict[tuple[Place, str], list[Rule]] = {}
            for rule in output:
                parts.setdefault((place_of[id(rule)], rule.chain), []).append(rule)
            for (place, chain), members in parts.items():
                shown.setdefault(place, {}).setdefault(chain, []).append(members)
        for (family_shown, table), chains in shown.items():
            family = family_shown or next((key[0] for key in self._rulesets), Family.IPV4)
            made = {name: _chain_of(name, outputs) for name, outputs in chains.items()}
            if self._headless.begins_inside and place_of[id(rules[0])] == (family_shown, table):
                made[rules[0].chain] = made[rules[0].chain].shown(Extent.END)
            if thinned:
                made = {name: chain.shown(Extent.HOLED) for name, chain in made.items()}
            made.update((name, chain.shown(Extent.HOLED)) for name, chain in made.items() if name in skipped)
            self._builder(family, None).add(Table(table, made, extent=Extent.SOME), Form.FRAGMENT, None)

    def _places(self, rules: Sequence[Rule]) -> list[Place]:
        """The place of each rule; the rules of one part of a table are judged together."""
        places: list[Place] = []
        for begin, end in self._headless.parts:
            places += places_of(rules[len(places) : begin])
            places += places_of(rules[begin:end], of_one_table=True)
        return places + places_of(rules[len(places) :])

    @property
    def warnings(self) -> list[str]:
        """What people should know about how the parts fit together."""
        conflicts = [conflict for builder in self._rulesets.values() for conflict in builder.conflicts]
        said = [
            f"{self._source}:{each.second_line or each.first_line}: {_shown(each)} is shown with different rules than"
            f" on line {each.first_line}: the later output counts"
            for each in conflicts[:_MOST_CONFLICTS]
        ]
        if len(conflicts) > _MOST_CONFLICTS:
            more = f"{len(conflicts) - _MOST_CONFLICTS:,} more chains"
            said.append(f"{self._source}: {more} are shown with different rules")
        if conflicts:
            said.append(f"{self._source}: if these are two nodes, or one node at two times, read them separately")
        return self._warnings + said

    def add_unreadable(
        self, tables: Iterable[tuple[Generator | None, str]], shown: TakenRuleset | None
    ) -> list[tuple[str, Family]]:
        """Add tables that the saver named but could not print, unless nft has `shown` them: these are returned, and are
        other programs'. Only the nft backend has such tables."""
        others: list[tuple[str, Family]] = []
        for generator, table in tables:
            family, backend = (generator.family, generator.backend) if generator else (Family.IPV4, Backend.NFT)
            if shown is not None and shown.shows(table, family):
                others.append((table, family))
            else:
                self._add_unreadable(family, backend, table)
        return others

    def _add_unreadable(self, family: Family, backend: Backend, table: str) -> None:
        self._builder(family, backend).add(Table(table, {}, extent=Extent.SOME), Form.FRAGMENT, None)
        self._warnings.append(
            f"{self._source}: iptables-save could not print table {table}, so its rules are unknown: "
            "`nft list ruleset` shows them"
        )

    def _add_table(self, builder: RulesetBuilder, section: TableBuilder, name: str, last: bool) -> None:
        from ipt_explain.parsing.pastes.extents import HOLED, WHOLE

        if not section.committed:
            self._warnings.append(f"{self._source}:{section.line}: table {name} has no COMMIT: is the text cut off?")
        form = section.meant_form
        if form is Form.SAVE and (self._thinned or self._incomplete):
            form = Form.FRAGMENT
            self._moved += section.take_foreign(name)
        form = self._form(form)
        extents = HOLED if self._thinned and form is Form.FRAGMENT else section.extents(form, last)
        table = section.build(name, extents)
        cut = form is Form.SAVE and extents is not WHOLE and not table.whole
        builder.add(table, Form.FRAGMENT if cut else form, section.generator)

    def _add_listing(self, builder: RulesetBuilder, section: TableBuilder, last: bool) -> None:
        from ipt_explain.parsing.pastes.extents import Extents

        name = section.listed_table
        if name is not None:
            form = self._form(section.form)
            builder.add(section.build(name, section.extents(form, last)), form, None)
            return
        # Some chains of `iptables -S CHAIN`: its rules show the table, its declarations do not.
        rules = list(section.rules())
        tables = {table for _, table in places_of(rules)} or {"filter"}
        shown = section.shown or Extents(Extent.SOME, {}, Extent.START if last else Extent.WHOLE)
        table = section.build(tables.pop() if len(tables) == 1 else "nat", shown)
        builder.add(table, section.form if section.form is Form.COLUMNS else Form.FRAGMENT, None)

    def _form(self, form: Form) -> Form:
        return Form.FRAGMENT if self._incomplete else form

    def _builder(self, family: Family, backend: Backend | None) -> RulesetBuilder:
        if backend is None:
            backend = self._backends.get(family)
        key = (family, backend)
        if key not in self._rulesets:
            self._rulesets[key] = RulesetBuilder(self._source, family, backend)
        return self._rulesets[key]


def _families_of(sections: Sequence[TableBuilder]) -> list[Family]:
    """The family of each section: its generator's, otherwise that of its addresses, otherwise that of its
    neighbours."""
    known: list[Family | None] = []
    for section in sections:
        if section.generator is not None:
            known.append(section.generator.family)
        elif section.family is not None:
            known.append(section.family)
        else:
            known.append(family_of_rules(section.rules()))
    families = []
    last = next((family for family in known if family is not None), Family.IPV4)
    for family in known:
        last = family or last
        families.append(last)
    return families


def _chain_of(name: str, outputs: Sequence[Sequence[Rule]]) -> Chain:
    """A chain from the outputs that show some of its rules."""
    if len(outputs) == 1:
        return Chain.of(name, outputs[0], extent=Extent.SOME)
    from ipt_explain.parsing.pastes.merging import chain_of_outputs

    return chain_of_outputs(name, outputs)


def _repeated(repeats: Sequence[Repeat], source: str) -> Iterator[str]:
    """Warnings about rules that a chain shows twice."""
    for each in repeats[:_MOST_REPEATS]:
        line = f"{source}:{each.rule.line}: the same rule as on line {each.earlier.line}"
        if each.again:
            yield f"{line}: another output seems to begin here, so it counts once; only a whole iptables-save can tell"
        else:
            yield f"{line}: it counts twice; if another output begins here, put a blank line between them"
    if len(repeats) > _MOST_REPEATS:
        yield f"{source}: {len(repeats) - _MOST_REPEATS:,} more rules are the same as earlier ones of their chain"


def _shown(conflict: Conflict) -> str:
    """What two outputs show differently, in words."""
    return f"table {conflict.table}" if conflict.chain is None else f"chain {conflict.chain} of table {conflict.table}"
