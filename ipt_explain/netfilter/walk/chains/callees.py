"""Where rows that jump go: all to one chain, or each to its own chain of one layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import cast

from ipt_explain.model import Chain, Layout, Shape, Table, TargetKind
from ipt_explain.netfilter.condition import Column
from ipt_explain.netfilter.targets import is_verdict
from ipt_explain.netfilter.walk.chains.evaluator import Rows
from ipt_explain.netfilter.walk.chains.visit import Ground
from ipt_explain.netfilter.walk.columns import AlikeChains, is_alike
from ipt_explain.records import Record


class Callees(Record, eq=False):
    """Rows that jump to one chain, or each to its own chain of one layout. `ground` is None if the target is no
    chain."""

    ground: Ground | None
    rows: Rows


class Fan(Record, eq=False):
    """Rows that a run of rules sends to chains of one layout. `ground` is None if the target is no chain or a goto.

    A row appears once for each rule that sends it: `turns` has the rule's number in the run, `places` its number in the
    chain.
    """

    ground: Ground | None
    rows: tuple[int, ...]
    turns: Sequence[int]
    places: Sequence[int]


class Jumps:
    """Where the jumps of a node's rules lead, looked up once per column of names.

    `fans` are the runs that all rows of some chains of one layout meet, by the places of their rules.
    """

    def __init__(self) -> None:
        self.fans: dict[tuple[AlikeChains, tuple[int, ...]], Sequence[Fan]] = {}
        self._known: dict[tuple[Table, Shape, tuple[str, ...]], Iterable[Callees]] = {}

    def by_callee(self, names: Column, table: Table, shape: Shape) -> Iterable[Callees]:
        """The rows, grouped by the layout of the chain that they jump to."""
        if isinstance(names, str):
            return _by_callee(names, table, shape)
        key = (table, shape, tuple(names))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _by_callee(names, table, shape)
        return known

    def fanned(self, ground: Ground, places: Sequence[int], rows: Sequence[int], table: Table) -> Iterator[Fan]:
        """The rows, grouped by the layout of the chains that the run's rules at these places send them to."""
        chains = [ground] * len(rows) if isinstance(ground, Chain) else list(map(ground.__getitem__, rows))
        layout = chains[0].layout
        shape, at = layout.shapes[places[0]], list(filter(None, map(layout.target_place, places)))
        # Row by row: the chains that one packet's rules lead to are mostly close in memory.
        names = [values[place] for values in [chain.values for chain in chains] for place in at]
        origin = tuple([row for row in rows for _ in places])
        turns = list(range(len(places))) * len(rows)
        for group in self.by_callee(names, table, shape):
            own = turns if group.rows is None else list(map(turns.__getitem__, group.rows))
            chosen = origin if group.rows is None else tuple(map(origin.__getitem__, group.rows))
            yield Fan(None if goes(shape) else group.ground, chosen, own, list(map(places.__getitem__, own)))


def _by_callee(names: Column, table: Table, shape: Shape) -> Iterable[Callees]:
    chains = table.chains
    if isinstance(names, str) or is_alike(names):
        name = names if isinstance(names, str) else names[0]
        chain = name in chains and (goes(shape) or not is_verdict(name))
        return (Callees(chains[name] if chain else None, None),)
    found = list(map(chains.get, names))
    if all(found) and len(set(map(_LAYOUT, found))) == 1:
        return (Callees(AlikeChains(cast("list[Chain]", found)), None),)
    groups: dict[Layout | None, list[int]] = {}
    for row, each in enumerate(found):
        groups.setdefault(None if each is None else each.layout, []).append(row)
    return [_grouped(found, rows) for rows in groups.values()]


_LAYOUT = attrgetter("layout")


def _grouped(found: Sequence[Chain | None], rows: Sequence[int]) -> Callees:
    chains = AlikeChains([chain for chain in (found[row] for row in rows) if chain is not None])
    alike = len(set(chains)) == 1
    return Callees((chains[0] if alike else chains) if chains else None, tuple(rows))


def chains_of(ground: Ground) -> Sequence[Chain]:
    """The chains of a visit."""
    return (ground,) if isinstance(ground, Chain) else ground


def goes(shape: Shape) -> bool:
    """Whether packets do not return from the target of a shape's rules (`-g`)."""
    return shape.target is not None and shape.target.kind is TargetKind.GOTO
