"""What a fragment does not show, and what is assumed instead: built-in chains lead to the chains that no rule of the
fragment leads to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from ipt_explain.model import Chain, Extent, Ruleset, Shape, Table
from ipt_explain.netfilter.hooks import DESTINATION_NAT, Hook
from ipt_explain.netfilter.targets import Verdict, is_nat
from ipt_explain.netfilter.walk.chains.evaluator import Evaluator
from ipt_explain.netfilter.walk.chains.table import Arrival
from ipt_explain.netfilter.walk.ends import Ends
from ipt_explain.netfilter.walk.packets import Entered, Travellers
from ipt_explain.words import listed

_MOST_NAMED = 4
Walk = Callable[[Ruleset, str, str, Travellers], tuple[list[Arrival], Entered]]
"""Packets through one chain of a table, and all that it leads to."""


class Unshown:
    """What a crowd meets in built-in chains that a fragment does not show. `supposed` lists what was assumed."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.supposed: list[str] = []
        self._evaluator = evaluator
        self._entered: dict[Chain, Hook] = {}

    def passed(
        self, ruleset: Ruleset, name: str, hook: Hook, travellers: Travellers, ends: Ends, walk: Walk
    ) -> Travellers:
        """The packets that get through a built-in chain that is not shown. `ends` gets the others."""
        if not travellers:
            return travellers
        table = ruleset.tables.get(name)
        unreached = [] if table is None else unreached_chains(table)
        # Packets pass INPUT or FORWARD, not both. They would meet chains of any other hook twice.
        here = Hook.FORWARD if hook is Hook.INPUT else hook
        orphans = [chain for chain in unreached if self._entered.get(chain, here) is here]
        if table is not None and orphans:
            return self._through(ruleset, table, hook, orphans, travellers, ends, walk)
        self._take_note(f"{name} {hook.value}, which this input does not show, is empty")
        return travellers

    def _through(
        self, ruleset: Ruleset, table: Table, hook: Hook, orphans: Sequence[Chain], travellers: Travellers, ends: Ends,
        walk: Walk,
    ) -> Travellers:  # fmt: skip
        """Assume that the built-in chain leads to the chains that no rule of the fragment jumps to.

        Except to those that rewrite addresses unconditionally, as something must choose between them. If there are no
        others, or in hooks where nat rewrites sources, what the packet meets is unknown.
        """
        self._entered.update(dict.fromkeys(orphans, Hook.FORWARD if hook is Hook.INPUT else hook))
        if table.name == "nat":
            chosen = _rewriting_blindly(table, self._evaluator) if hook in DESTINATION_NAT else table.chains.keys()
            orphans = [chain for chain in orphans if chain.name not in chosen]
        if not orphans:
            reason = f"chain {hook.value} of table {table.name}, which this input does not show"
            ends.add_all(travellers, Verdict.UNKNOWN, reason)
            return Travellers()
        names = ", ".join(chain.name for chain in orphans)
        self._take_note(f"{table.name} {hook.value}, which this input does not show, leads to {names}")
        passed = Travellers()
        for chain in orphans:
            if not travellers:
                break
            arrivals, entered = walk(ruleset, table.name, chain.name, travellers)
            travellers = Travellers()
            ends.settle([one for one in arrivals if not one.by_policy], entered, passed)
            ends.settle([one for one in arrivals if one.by_policy], entered, travellers)
        thinned = [chain.name for chain in orphans if chain.extent is not Extent.WHOLE]
        if thinned:
            reason = f"the rules of chain {listed(thinned, _MOST_NAMED)} that this input does not show"
            ends.add_all(travellers, Verdict.UNKNOWN, reason)
            return passed
        for state, packets in travellers.items():
            passed.gather(state, packets)
        return passed

    def _take_note(self, note: str) -> None:
        if note not in self.supposed:
            self.supposed.append(note)


def may_be_unshown(ruleset: Ruleset, table: str) -> bool:
    """Whether a built-in chain that is not shown may have rules. Tables other than nat and filter hardly ever have
    any."""
    return ruleset.fragment and (table in ("nat", "filter") or table in ruleset.tables)


def unreached_chains(table: Table) -> list[Chain]:
    """A table's user chains that no rule of it jumps to, in the order of the text."""
    targets = {chain.target_of(number) for chain in table.chains.values() for number in range(len(chain.layout.shapes))}
    built_in = {hook.value for hook in Hook}
    return [chain for name, chain in table.chains.items() if name not in targets and name not in built_in]


def _rewriting_blindly(table: Table, evaluator: Evaluator) -> frozenset[str]:
    """The chains that rewrite addresses whatever the destination, directly or through others, or may do so in chains
    that the text does not show. A rule that tests the destination must lead to them, and no built-in chain's does."""
    blind: dict[Shape, bool] = {}
    leads_on: dict[Shape, bool] = {}
    callers: dict[str, list[str]] = defaultdict(list)
    open_ends: list[str] = []
    for name, chain in table.chains.items():
        for number, shape in enumerate(chain.layout.shapes):
            if shape not in blind:
                leads_on[shape] = shape.target is not None and shape.target.slot is not None
                blind[shape] = not any(condition.bound for condition in evaluator.conditions(shape))
            target = chain.target_of(number)
            if blind[shape] and target is not None:
                if is_nat(target) or (leads_on[shape] and target not in table.chains):
                    open_ends.append(name)
                else:
                    callers[target].append(name)
    found: set[str] = set()
    while open_ends:
        name = open_ends.pop()
        if name not in found:
            found.add(name)
            open_ends.extend(callers[name])
    return frozenset(found)
