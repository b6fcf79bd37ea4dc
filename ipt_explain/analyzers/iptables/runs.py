"""Stretches of a chain's rules: runs, which choose by chance alone and are most of a balancing chain, and the rules
between them. All that follows from a chain's layout is worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter

from ipt_explain.analyzers.iptables.plans import Plans, RulePlan
from ipt_explain.model import Layout
from ipt_explain.netfilter.probability import taken

Words = tuple[str, ...]
Numbered = tuple[int, RulePlan, int]
"""A rule of a layout: its number, its plan, and where its words are in `Chain.values`."""


class Run:
    """Consecutive rules of a layout that jump to chains by chance alone. `targets` takes the names of those chains from
    `Chain.values`.

    Few of ten thousand balancers differ in their chances, so shares are computed once for each set of chances.
    """

    def __init__(self, rules: Sequence[Numbered]) -> None:
        self.numbers = [number for number, _, _ in rules]
        self.targets = _words_at([start + (plan.target_slot or 0) for _, plan, start in rules])
        self._rules = rules
        self._chances = _words_at(
            [start + plan.probability.slot for _, plan, start in rules if plan.probability is not None]
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
        for _, plan, start in self._rules:
            chance = plan.chance(values, start)
            if chance is None:
                return None
            share, rest = taken(rest, chance)
            shares.append(share)
        return shares, rest


Stretch = tuple["Run | None", Sequence[Numbered]]


class Stretches(dict[Layout, Sequence[Stretch]]):
    """The stretches of each layout, in order: `stretches[layout]`."""

    def __init__(self, plans: Plans) -> None:
        super().__init__()
        self._plans = plans

    def __missing__(self, layout: Layout) -> Sequence[Stretch]:
        plans = map(self._plans.__getitem__, layout.shapes)
        rules = list(zip(range(len(layout)), plans, layout.offsets))
        found = [(by_chance, list(some)) for by_chance, some in groupby(rules, _leads_by_chance)]
        stretches = self[layout] = [(Run(some) if by_chance else None, some) for by_chance, some in found]
        return stretches


def _words_at(places: Sequence[int]) -> Callable[[Words], Words]:
    """Takes the words at these places of a chain's values."""
    # `itemgetter` gives a tuple of two words or more.
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple([values[place] for place in places])


def _leads_by_chance(rule: Numbered) -> bool:
    plan = rule[1]
    return plan.by_chance and plan.target_slot is not None and plan.protocol is None and not plan.nth
