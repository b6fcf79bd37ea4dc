"""Jumps as sets of chains, without their order.

The chain graph walks every jump of a table in order, which most questions do not need. Gathering targets by shape costs
a fraction of that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain as chained
from itertools import filterfalse, repeat

from ipt_explain.graph.jumps import aim_of
from ipt_explain.model import Shape, Table
from ipt_explain.model.by_shape import RulesOfShape
from ipt_explain.netfilter.targets import VERDICTS
from ipt_explain.records import Record

# For deeper nesting the graph is used, whose cost does not depend on depth.
_ROUNDS = 64


class JumpSets(Record):
    """The jumps of one table: for each shape with jumps, the chains that its rules lead to. `uncalled` are the chains
    that no rule leads to, in the order of the text; `leading` are groups of chains with the chains that each leads to.
    """

    table: Table
    shapes: Mapping[Shape, RulesOfShape]
    targets: Mapping[Shape, frozenset[str]]
    called: frozenset[str]
    uncalled: Sequence[str]
    leading: Sequence[tuple[Collection[str], Collection[str]]]

    @classmethod
    def of(cls, table: Table, shapes: Mapping[Shape, RulesOfShape]) -> JumpSets:
        """The jumps among the rules of a table, given by shape."""
        targets: dict[Shape, frozenset[str]] = {}
        leading: list[tuple[Collection[str], Collection[str]]] = []
        for shape, rules in shapes.items():
            parts = [(callers, names) for callers, names in _targets(shape, rules, table.chains) if names]
            if parts:
                leading += parts
                targets[shape] = frozenset().union(*[names for _, names in parts])
        called = frozenset().union(*targets.values())
        return cls(table, shapes, targets, called, list(filterfalse(called.__contains__, table.chains)), leading)

    @property
    def missing(self) -> frozenset[str]:
        """Chains that rules lead to but the table lacks."""
        return self.called.difference(self.table.chains)

    def callers(self, chain: str) -> set[str]:
        """The chains with a rule that leads to `chain`."""
        return {
            source
            for shape, found in self.targets.items()
            if chain in found
            for source, target in _pairs(shape, self.shapes[shape])
            if target == chain
        }

    def leads_to(self, hook: str, chains: Collection[str]) -> bool:
        """Whether a built-in chain leads to any of these chains, or is one of them."""
        pending, seen = list(chains), set(chains)
        while pending:
            name = pending.pop()
            if name == hook:
                return True
            found = self.callers(name) - seen if name in self.called else set()
            seen |= found
            pending += found
        return False

    def may_loop(self) -> bool:
        """Whether chains may form a cycle. False is certain, and the answer for nearly every ruleset.

        In a cycle each chain jumps to one that jumps on. This removes jumps to other chains until none is left or
        nothing changes, in as many rounds as chains are nested; first for all chains of a layout together.
        """
        return _may_loop(self.leading) and _may_loop(
            [((source,), (target,)) for shape in self.targets for source, target in _pairs(shape, self.shapes[shape])]
        )


def _may_loop(jumps: Sequence[tuple[Collection[str], Collection[str]]]) -> bool:
    """Whether some chains of each group may lead to chains of a group."""
    for _ in range(_ROUNDS):
        callers = set(chained.from_iterable(sources for sources, _ in jumps))
        left = [jump for jump in jumps if not callers.isdisjoint(jump[1])]
        if not left:
            return False
        if len(left) == len(jumps):
            return True
        jumps = left
    return True


def _targets(
    shape: Shape, rules: RulesOfShape, chains: Collection[str]
) -> Iterator[tuple[Sequence[str], frozenset[str]]]:
    """The chains that have rules of a shape, and where these lead, layout by layout."""
    slot, target, only_chains = aim_of(shape, chains)
    if slot is None and target is None:
        return
    for alike, places in rules.parts(slot or 0):
        names = frozenset((target or "",)) if slot is None else alike.distinct(*places)
        if not names.isdisjoint(VERDICTS):
            names -= VERDICTS
        yield alike.names, names.intersection(chains) if only_chains else names


def _pairs(shape: Shape, rules: RulesOfShape) -> Iterator[tuple[str, str]]:
    """Chain and target of each rule of a shape that jumps."""
    target = shape.target
    if target is not None and target.slot is not None:
        return zip(rules.column(0), rules.column(target.slot))
    name = "" if target is None or target.name is None else target.name
    return zip(rules.column(0), repeat(name))
