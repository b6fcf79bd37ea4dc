"""The picture of iptables' chains and their jumps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from ipt_explain.analyzers.profiles.chains import Owners, TablePlace
from ipt_explain.graph.jumps import Jump
from ipt_explain.graph.neighbourhood import Neighbourhood
from ipt_explain.model import Chain, Layout
from ipt_explain.netfilter.hooks import is_built_in
from ipt_explain.render.english.edge_labels import edge_label, rule_shares, share_words
from ipt_explain.render.graph.drawing import BUILT_IN, CHAIN, MISSING, UNKNOWN, Drawing, DrawnChain, DrawnJump
from ipt_explain.render.graph.notes import Notes, shortened
from ipt_explain.render.text.safe import escape

SHOWN_ENDS = 3


def drawing(parts: Sequence[tuple[TablePlace, Neighbourhood]], notes: Notes | None) -> Drawing:
    """Draw tables, or parts of them, with notes on Services and faults."""
    notes = notes or Notes()
    chains: list[DrawnChain] = []
    jumps: list[DrawnJump] = []
    for group, (place, part) in zip(_groups([place for place, _ in parts]), parts):
        painter = _Painter(group, place, notes)
        chains += map(painter.chain, part.chains)
        for chain, leaving in groupby(part.jumps, lambda jump: jump.chain):
            jumps += painter.jumps(chain, leaving)
    return Drawing(chains, jumps)


def _groups(places: Sequence[TablePlace]) -> list[str]:
    """A name for each table: `nat`, prefixed with family and source if the table occurs several times."""
    plain = [escape(place.table.name) for place in places]
    if len(set(plain)) == len(plain):
        return plain
    families = [f"{place.ruleset.family.value}/{name}" for place, name in zip(places, plain)]
    if len(set(families)) == len(families):
        return families
    sources = [escape(place.ruleset.source) for place in places]
    return [f"{number}/{source}/{name}" for number, (source, name) in enumerate(zip(sources, families), start=1)]


class _Painter:
    """Draws the chains of one table."""

    def __init__(self, group: str, place: TablePlace, notes: Notes) -> None:
        table, ruleset = place.table.name, place.ruleset
        source, family = ruleset.source, ruleset.family.value
        self._group = group
        self._place = place
        self._ids: dict[str, str] = {}
        self._owners = Owners(place.table)
        self._notes = notes.of_chains(source, family) if table == "nat" else {}
        self._faults = notes.of_faults(source, family, table)
        self._faulty_lines = notes.faulty_lines(source)
        self._ends_of: dict[Layout, list[_End]] = {}

    def chain(self, name: str) -> DrawnChain:
        """A chain of the table, or one that is only jumped to."""
        chain = self._place.table.chains.get(name)
        owner = self._owners.of(name)
        return DrawnChain(
            self._id(name),
            self._group,
            escape(name),
            self._kind(name),
            owner.name if owner is not None else None,
            owner.purpose if owner is not None else None,
            len(chain.layout) if chain is not None else 0,
            self._ends(chain) if chain is not None else (),
            chain.line if chain is not None else None,
            self._notes.get(name),
            self._faults.get(name, ()),
        )

    def jumps(self, chain: Chain, leaving: Iterator[Jump]) -> Iterator[DrawnJump]:
        """Jumps from one chain."""
        share_of = rule_shares(chain)
        words = share_words(share_of)
        source = self._id(chain.name)
        for jump in leaving:
            number, line = jump.number, jump.line
            yield DrawnJump(
                source,
                self._id(jump.target),
                line,
                jump,
                escape(edge_label(chain, number, words.get(number))),
                jump.goto,
                share_of.get(number),
                line in self._faulty_lines,
                line,
            )

    def _id(self, name: str) -> str:
        known = self._ids.get(name)
        if known is None:
            known = self._ids[name] = f"{self._group}/{escape(name)}"
        return known

    def _kind(self, name: str) -> str:
        if is_built_in(self._place.table.name, name):
            return BUILT_IN
        if name in self._place.table.chains:
            return CHAIN
        return UNKNOWN if self._place.ruleset.fragment else MISSING

    def _ends(self, chain: Chain) -> tuple[str, ...]:
        """What its rules do other than jumping, each by its target's name and first value; and its policy."""
        targets = self._ends_of.get(chain.layout)
        if targets is None:
            targets = self._ends_of[chain.layout] = list(_ends_of(chain.layout))
        jumping = self._place.graph.jumping(chain.name)
        found: dict[str, None] = {}
        for number, target, values in targets if len(jumping) < len(targets) else ():
            if number not in jumping:
                first = next(filter(None, map(chain.word, values)), "")
                name = chain.at(target) if isinstance(target, int) else target
                found[shortened(escape(f"{name} {first}".rstrip()))] = None
                if len(found) > SHOWN_ENDS:
                    break
        ends = list(found)[:SHOWN_ENDS] + (["…"] if len(found) > SHOWN_ENDS else [])
        return (*ends, f"policy {escape(chain.policy)}") if chain.policy is not None else tuple(ends)


_End = tuple[int, str | int, list[int]]
"""A rule's number, its target or the target's place in the chain's values, and the places of its options' values."""


def _ends_of(layout: Layout) -> Iterator[_End]:
    """The rules of a layout that have a target."""
    for number, (shape, start) in enumerate(zip(layout.shapes, layout.offsets)):
        target = shape.target
        if target is not None:
            name = target.name if target.slot is None else start + target.slot
            if name is not None:
                yield number, name, [start + option.slots[0] for option in target.options if option.slots]
