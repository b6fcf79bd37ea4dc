"""Runs: consecutive rules that choose by chance alone, which is most of a balancing chain. Shares are computed once for
all chains of one layout with the same chances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter

from ipt_explain.analyzers.iptables.plans import Plans, RulePlan
from ipt_explain.model import Layout
from ipt_explain.netfilter.probability import taken

Words = tuple[str, ...]


class Run:
    """Consecutive rules of a layout that jump to chains by chance alone. `targets` takes the names of those chains from
    `Chain.values`.

    Few of ten thousand balancers differ in their chances, so shares are computed once for each set of chances.
    """

    def __init__(self, layout: Layout, plans: Plans, numbers: range) -> None:
        self.numbers = numbers
        self.targets = _words_at([layout.target_place(number) or 0 for number in numbers])
        self._rules = [(plans[layout.shapes[number]], layout.offsets[number]) for number in numbers]
        self._chances = _words_at(
            [start + plan.probability.slot for plan, start in self._rules if plan.probability is not None]
        )
        self._known: dict[tuple[float, Words], tuple[Sequence[float], float] | None] = {}

    def taken(self, values: Words, rest: float) -> tuple[Sequence[float], float] | None:
        """The share (0..1) that each rule takes if `rest` reaches the first, and what is left; None if a chance cannot
        be read.
        """
        key = rest, self._chances(values)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._taken(values, rest)
        return found

    def _taken(self, values: Words, rest: float) -> tuple[Sequence[float], float] | None:
        shares: list[float] = []
        for plan, start in self._rules:
            chance = plan.chance(values, start)
            if chance is None:
                return None
            share, rest = taken(rest, chance)
            shares.append(share)
        return shares, rest


class ChanceRuns(dict[Layout, dict[int, Run]]):
    """The runs of each layout: `runs[layout]` has them by the number of their first rule."""

    def __init__(self, plans: Plans) -> None:
        super().__init__()
        self._plans = plans

    def __missing__(self, layout: Layout) -> dict[int, Run]:
        runs = self[layout] = {}
        leads = [_leads_by_chance(self._plans[shape]) for shape in layout.shapes]
        for number, led in enumerate(leads):
            if led and not (number and leads[number - 1]):
                end = next((later for later in range(number, len(leads)) if not leads[later]), len(leads))
                runs[number] = Run(layout, self._plans, range(number, end))
        return runs


def _words_at(places: Sequence[int]) -> Callable[[Words], Words]:
    """Takes the words at these places of a chain's values."""
    # `itemgetter` gives a tuple of two words or more.
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple([values[place] for place in places])


def _leads_by_chance(plan: RulePlan) -> bool:
    return plan.by_chance and plan.target_slot is not None and plan.protocol is None and not plan.nth
