"""Putting lines together: rules into chains, chains into tables, tables into rulesets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipt_explain.model import (
    Backend,
    Chain,
    Command,
    Counters,
    Extent,
    Family,
    Form,
    Rule,
    Ruleset,
    Table,
)
from ipt_explain.parsing.iptables.families import family_of_rules
from ipt_explain.parsing.iptables.headers import Generator
from ipt_explain.parsing.pastes.extents import Extents, extents_of

# Which chains the kernel makes by itself in each table (net/ipv4/netfilter/iptable_*.c). nat got INPUT in Linux 2.6.36.
BUILT_IN: dict[str, tuple[str, ...]] = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
_HOOKS = frozenset(name for names in BUILT_IN.values() for name in names)


class TableBuilder:
    """One table's section while it is read. `name` is None for `iptables -S` output, which does not say its table."""

    def __init__(self, name: str | None, line: int, generator: Generator | None) -> None:
        self.name = name
        self.line = line
        self.generator = generator
        self.form = Form.SAVE
        self.committed = False
        self.rules: dict[str, list[Rule]] = {}
        self.deleted: set[str] = set()
        self.redeclared: list[int] = []
        self._declared: dict[str, tuple[int, str | None, Counters | None]] = {}
        self._hooks: set[str] = set()

    @property
    def hooks(self) -> frozenset[str]:
        """The built-in chains that the section declares."""
        return frozenset(self._hooks)

    @property
    def has_rules(self) -> bool:
        """Whether any rule line was read."""
        return any(self.rules.values())

    def declare(self, chain: str, policy: str | None, counters: Counters | None, line: int) -> None:
        """`:CHAIN POLICY [p:b]`, `-P` or `-N`. On restore, declaring a chain again empties it."""
        if chain in self._declared:
            self.redeclared.append(line)
        self._declared[chain] = (line, policy, counters)
        self.rules[chain] = []
        if policy is not None and chain in _HOOKS:
            self._hooks.add(chain)
        if self.deleted:
            self.deleted.discard(chain)

    def declares(self, chain: str) -> bool:
        """Whether the section has declared a chain."""
        return chain in self._declared

    def delete(self, chain: str) -> None:
        """`-X CHAIN`: the chain is gone, and what the section said of it."""
        self.deleted.add(chain)
        self.rules.pop(chain, None)
        self._declared.pop(chain, None)

    def flush(self, chain: str) -> None:
        """`-F CHAIN`."""
        self.rules[chain] = []

    def place(self, rule: Rule) -> None:
        """Any rule command: append, insert at a number, delete, replace."""
        rules = self.rules.setdefault(rule.chain, [])
        command = rule.shape.command
        if command is Command.APPEND:
            rules.append(rule)
            return
        slot = rule.shape.rulenum_slot
        number = int(rule.values[slot]) if slot is not None else 1
        if command is Command.INSERT:
            rules.insert(number - 1, rule)
        elif command is Command.REPLACE:
            rules[number - 1 : number] = [rule]
        elif slot is not None:
            del rules[number - 1 : number]
        else:
            text = rule.text.split(" ", 1)[1]
            same = (index for index, other in enumerate(rules) if other.text.split(" ", 1)[1] == text)
            index = next(same, None)
            if index is not None:
                del rules[index]

    def extents(self, form: Form, last: bool) -> Extents:
        """How much of the table the section shows; `last` tells that the text ends with it, and so may cut it off."""
        ended = not last or (self.committed and form is not Form.LISTING)
        if ended:
            return extents_of(form if self.committed else Form.FRAGMENT, self.rules, self._declared, None, ended)
        filled = [rules[-1] for rules in self.rules.values() if rules]
        last_chain = max(filled, key=lambda rule: rule.line).chain if filled else None
        return extents_of(form, self.rules, self._declared, last_chain, ended)

    def build(self, name: str, extents: Extents) -> Table:
        """The table as read."""
        chains = {}
        for chain, rules in self.rules.items():
            line, policy, counters = self._declared.get(chain, (None, None, None))
            chains[chain] = Chain.of(chain, rules, policy, line, counters, extents.of(chain))
        deleted, redeclared = frozenset(self.deleted), tuple(self.redeclared)
        return Table(name, chains, self.line, self.committed, deleted, redeclared, extents.table)


class RulesetBuilder:
    """The tables of one family and backend."""

    def __init__(self, source: str, family: Family, backend: Backend | None) -> None:
        self.source = source
        self.family = family
        self.backend = backend
        self.generator: str | None = None
        self.unreadable: list[str] = []
        self._tables: dict[str, Table] = {}
        self._form = Form.SAVE

    def add(self, table: Table, form: Form, generator: Generator | None) -> None:
        """Takes a table in. One that comes twice is replaced, as iptables-restore would; parts of a fragment are
        joined.
        """
        if generator is not None and self.generator is None:
            self.generator = generator.text
        before = self._tables.get(table.name)
        if before is not None:
            table = _join(before, table) if form is Form.FRAGMENT else _replace(before, table)
        self._tables[table.name] = table
        self._form = _LESS_COMPLETE[max(_LESS_COMPLETE.index(self._form), _LESS_COMPLETE.index(form))]

    def build(self) -> Ruleset:
        """The ruleset; it is only as complete as its least complete table."""
        return Ruleset(
            self.source, self.family, self.backend, self.generator, self._form, self._tables, tuple(self.unreadable)
        )


_LESS_COMPLETE = (Form.SAVE, Form.LISTING, Form.RESTORE, Form.FRAGMENT)


def table_form(section: TableBuilder) -> Form:
    """What a `*table` section is. iptables-save declares every built-in chain; input for `iptables-restore --noflush`
    none.
    """
    if section.hooks or section.generator is not None:
        return section.form
    return Form.RESTORE if section.form is Form.SAVE else section.form


def listed_table(section: TableBuilder) -> str | None:
    """The table whose built-in chains an `iptables -S` listing shows, None where it shows only some of a table's."""
    hooks = section.hooks
    for name, built_in in BUILT_IN.items():
        if hooks == set(built_in) or (name == "nat" and hooks == {"PREROUTING", "OUTPUT", "POSTROUTING"}):
            return name
    return None


def families_of(sections: Sequence[TableBuilder]) -> list[Family]:
    """Each section's family: from its generator, else from its addresses, else as its neighbours."""
    known: list[Family | None] = []
    for section in sections:
        if section.generator is not None:
            known.append(section.generator.family)
        else:
            known.append(family_of_rules(rule for rules in section.rules.values() for rule in rules))
    families = []
    last = next((family for family in known if family is not None), Family.IPV4)
    for family in known:
        last = family or last
        families.append(last)
    return families


def _replace(before: Table, after: Table) -> Table:
    again = () if after.line is None else (after.line,)
    redeclared = before.redeclared + again + after.redeclared
    return Table(after.name, after.chains, after.line, after.committed, after.deleted, redeclared, after.extent)


def _join(before: Table, after: Table) -> Table:
    chains = dict(before.chains)
    for name, chain in after.chains.items():
        known = chains.get(name)
        if known is not None:
            rules = known.rules + chain.rules
            policy, line = known.policy or chain.policy, known.line or chain.line
            ordered = not known.rules or not chain.rules
            chain = Chain.of(name, rules, policy, line, known.counters, Extent.SOME, ordered)
        chains[name] = chain
    deleted = before.deleted | after.deleted
    return Table(after.name, chains, before.line, before.committed, deleted, before.redeclared, Extent.SOME)


def chains_of(rules: Iterable[Rule]) -> dict[str, Chain]:
    """Bare rules grouped into undeclared chains, both in the order read."""
    grouped: dict[str, list[Rule]] = {}
    for rule in rules:
        grouped.setdefault(rule.chain, []).append(rule)
    return {name: Chain.of(name, members, extent=Extent.SOME) for name, members in grouped.items()}
