"""Assembles a table: rules into chains, chains into a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import cast

from ipt_explain.model import (
    Backend,
    Chain,
    Command,
    Counters,
    Family,
    Form,
    Layout,
    Rule,
    Table,
)
from ipt_explain.model.kernel import BUILT_IN_CHAINS, HOOKS
from ipt_explain.parsing.iptables.fragments import own_rules
from ipt_explain.parsing.iptables.rulesets import Generator
from ipt_explain.parsing.pastes.extents import WHOLE, Extents, extents_of, is_thinned


class TableBuilder:
    """One table's section while it is read. `name` is None for `iptables -S` output, which does not name its table.

    `ended`: the text goes on after the section, even if its COMMIT is missing. `elided`: dots stand for lines that
    somebody left out. `has_rules`: a rule was read. `skipped` are the chains of lines that could not be read, None for
    a line whose chain is unknown.

    `chains` has only the line of a chain that was declared plainly (`:NAME - [0:0]`) and has no rules yet, and a draft
    of a chain that commands edit.
    """

    def __init__(self, name: str | None, line: int, generator: Generator | None) -> None:
        self.name = name
        self.line = line
        self.generator = generator
        self.family: Family | None = None
        self.backend: Backend | None = None
        self.shown: Extents | None = None
        self.form = Form.SAVE
        self.committed = False
        self.ended = False
        self.elided = False
        self.chains: dict[str, int | Chain | Draft] = {}
        self.has_rules = False
        self.deleted: set[str] = set()
        self.skipped: set[str | None] = set()
        self.redeclared: list[int] = []
        self._hooks: set[str] = set()
        self._is_finished = False

    def rules(self) -> Iterator[Rule]:
        """All rules read so far."""
        for chain in self.chains.values():
            if isinstance(chain, Draft):
                yield from chain.rules
            elif not isinstance(chain, int):
                yield from map(chain.rule, range(len(chain.layout)))

    def declare_plainly(self, chains: Sequence[str], line: int) -> None:
        """Lines `:CHAIN - [0:0]`, beginning with number `line`."""
        lines = range(line, line + len(chains))
        declared = list(map(self.chains.setdefault, chains, lines))
        if declared != list(lines):
            for chain, known, at in zip(chains, declared, lines):
                if known != at:
                    self.declare(chain, None, None, at)
        if self.deleted:
            self.deleted.difference_update(chains)

    def declare(self, chain: str, policy: str | None, counters: Counters | None, line: int) -> None:
        """`:CHAIN POLICY [p:b]`, `-P` or `-N`. On restore, declaring a chain again empties it."""
        if self.declares(chain):
            self.redeclared.append(line)
        self.chains[chain] = Chain((chain,), policy=policy, line=line, counters=counters)
        if policy is not None and chain in HOOKS:
            self._hooks.add(chain)
        if self.deleted:
            self.deleted.discard(chain)

    def begins_anew(self, chain: str) -> bool:
        """Whether this declaration shows that another table begins here: a saver declares all chains of a table before
        its rules, each once. Judged by built-in chains; by any chain if lines were left out."""
        if self.name is None:
            return False
        if self.elided:
            return self.has_rules or self.declares(chain)
        return chain in self._hooks or (self.has_rules and chain not in BUILT_IN_CHAINS.get(self.name, ()))

    @property
    def hooks(self) -> frozenset[str]:
        """The built-in chains that the section declares."""
        return frozenset(self._hooks)

    @property
    def meant_form(self) -> Form:
        """The form of the section. iptables-save declares every built-in chain; input for `iptables-restore --noflush`
        declares none."""
        if self.form is not Form.SAVE or self._hooks or self.generator is not None:
            return self.form
        return Form.RESTORE

    @property
    def listed_table(self) -> str | None:
        """The table whose built-in chains an `iptables -S` listing shows; None if it shows only some of a table's."""
        for name, built_in in BUILT_IN_CHAINS.items():
            if self._hooks == set(built_in) or (
                name == "nat" and self._hooks == {"PREROUTING", "OUTPUT", "POSTROUTING"}
            ):
                return name
        return None

    def lacks_lines(self, last: bool) -> bool:
        """Whether lines are missing from a section printed by iptables-save. `last`: the text ends with it."""
        if self.name is None or self.shown is not None or self.meant_form is not Form.SAVE:
            return False
        if not self.committed and (self.ended or not last):
            return True
        return is_thinned(self._finished(), saved=self.generator is not None)

    def take_foreign(self, table: str) -> list[Rule]:
        """Remove the rules that cannot be in `table`, and return them."""
        chains, taken = self._finished(), list[Rule]()
        for name, chain in tuple(chains.items()):
            own = own_rules(chain, table)
            if own is None:
                taken += chains.pop(name).rules
            elif len(own) < len(chain.layout):
                lines = {rule.line for rule in own}
                taken += (rule for rule in chain.rules if rule.line not in lines)
                chains[name] = Chain.of(name, own, chain.policy, chain.line, chain.counters)
        return taken

    def declares(self, chain: str) -> bool:
        """Whether the section has declared a chain."""
        found = self.chains.get(chain)
        return isinstance(found, int) or (found is not None and found.line is not None)

    def delete(self, chain: str) -> None:
        """`-X CHAIN`: remove the chain and its rules."""
        self.deleted.add(chain)
        self.chains.pop(chain, None)

    def flush(self, chain: str) -> None:
        """`-F CHAIN`."""
        self._draft(chain).flush()

    def append(self, rules: Chain) -> None:
        """Add consecutive rules, given as an undeclared chain."""
        self.has_rules = True
        name = rules.name
        known = self.chains.get(name)
        if known is None:
            self.chains[name] = rules
        elif isinstance(known, int):
            self.chains[name] = rules.declared_at(known)
        elif isinstance(known, Chain) and not known.layout.shapes:
            self.chains[name] = rules.declared_at(known.line, known.policy, known.counters)
        else:
            draft = self._draft(name)
            for rule in rules.rules:
                draft.rules.append(rule)

    def append_all(
        self,
        values: Sequence[tuple[str, ...]],
        layouts: Sequence[Layout],
        lines: Sequence[int],
        counts: Sequence[tuple[str, ...]],
    ) -> None:
        """Add consecutive rules of many chains, given as the parts of undeclared chains."""
        self.has_rules = True
        names = [own[0] for own in values]
        declared = list(map(self.chains.get, names))
        if len(set(names)) == len(names) and set(map(type, declared)) == {int}:  # as nearly always: all without rules
            chains = map(Chain, values, layouts, lines, counts, repeat(None), cast("list[int]", declared))
            self.chains.update(zip(names, chains))
        else:
            for chain in sorted(map(Chain, values, layouts, lines, counts), key=lambda chain: chain.line_of(0)):
                self.append(chain)

    def edit(self, rule: Rule) -> None:
        """Apply any command but append: insert at a number, delete, replace."""
        self.has_rules = True
        rules = self._draft(rule.chain).rules
        command, slot = rule.shape.command, rule.shape.rulenum_slot
        index = int(rule.values[slot]) - 1 if slot is not None else 0
        if command is Command.INSERT:
            rules.insert(index, rule)
        elif command is Command.REPLACE:
            rules.replace(index, rule)
        elif slot is not None:
            rules.delete(index)
        else:
            rules.delete_like(rule)

    def _draft(self, name: str) -> Draft:
        known = self.chains.get(name)
        if not isinstance(known, Draft):
            chain = Chain((name,), line=known) if known is None or isinstance(known, int) else known
            known = self.chains[name] = Draft(chain)
        return known

    def extents(self, form: Form, last: bool) -> Extents:
        """How much of the table the section shows. `last`: the text ends with it, and may be cut off there."""
        skipped = {chain if chain in self.chains else None for chain in self.skipped}
        return self._shown(form, last).without(skipped)

    def _shown(self, form: Form, last: bool) -> Extents:
        chains = self._finished()
        if self.shown is not None:
            return self.shown
        ended = not last or (self.committed and form is not Form.LISTING)
        if ended:
            return extents_of(form if self.committed else Form.FRAGMENT, chains, None, ended)
        filled = [chain for chain in chains.values() if len(chain.layout)]
        last_chain = max(filled, key=lambda chain: chain.line_of(len(chain.layout) - 1)).name if filled else None
        return extents_of(form, chains, last_chain, ended)

    def build(self, name: str, extents: Extents) -> Table:
        """The table as read."""
        chains = self._finished()
        if extents is not WHOLE:
            for chain, found in chains.items():
                chains[chain] = found.shown(extents.of(chain))
        deleted, redeclared = frozenset(self.deleted), tuple(self.redeclared)
        return Table(name, chains, self.line, self.committed, deleted, redeclared, extents.table)

    def _finished(self) -> dict[str, Chain]:
        """The chains, in the same dictionary: a second one with 100,000 chains would cost too much."""
        if not self._is_finished:
            unfinished = [(chain, found) for chain, found in self.chains.items() if not isinstance(found, Chain)]
            self.chains.update((chain, _finished(chain, found)) for chain, found in unfinished)
            self._is_finished = True
        return cast("dict[str, Chain]", self.chains)


class Draft:
    """A chain while commands edit it."""

    def __init__(self, chain: Chain) -> None:
        from ipt_explain.parsing.iptables.editing import EditedRules

        self.policy, self.line, self.counters = chain.policy, chain.line, chain.counters
        self.rules = EditedRules(chain.rules)

    def flush(self) -> None:
        """`-F`."""
        self.rules = type(self.rules)()


def _finished(name: str, found: int | Draft) -> Chain:
    if isinstance(found, int):
        return Chain((name,), line=found)
    return Chain.of(name, tuple(found.rules), found.policy, found.line, found.counters)
