"""Rules of one shape that are evaluated together, one for each packet of a crowd.

Ten thousand balancers of one layout need one call per rule: their words are columns.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.model import Chain, Rule, Shape, column
from ipt_explain.model.words import unquote
from ipt_explain.netfilter.cached import CachedColumn, cached
from ipt_explain.netfilter.condition import Column
from ipt_explain.netfilter.walk.columns import Alike
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One rule per row: number `places[row]` of `chains[row]`; a single value if all rows have the same."""

    shape: Shape
    chains: Chain | Sequence[Chain]
    places: int | Sequence[int]

    @property
    def single(self) -> bool:
        """Whether all rows ask one rule."""
        return isinstance(self.chains, Chain) and isinstance(self.places, int)

    def chain(self, row: int) -> Chain:
        """The chain that holds a row's rule."""
        return self.chains if isinstance(self.chains, Chain) else self.chains[row]

    def place(self, row: int) -> int:
        """The number of a row's rule in its chain."""
        return self.places if isinstance(self.places, int) else self.places[row]

    def rule(self, row: int) -> Rule:
        """A row's rule."""
        return self.chain(row).rule(self.place(row))

    def line(self, row: int) -> int:
        """The line of a row's rule."""
        return self.chain(row).line_of(self.place(row))

    def column(self, slot: int) -> Column:
        """The words that the rules have in a slot of their shape, as written."""
        chains, places = self.chains, self.places
        if isinstance(chains, Chain):
            if isinstance(places, int):
                return chains.at(0 if slot == 0 else chains.layout.offsets[places] + slot)
            return cached(places, _words_at, chains, slot)
        if slot == 0 or isinstance(places, int):
            at = 0 if slot == 0 or not isinstance(places, int) else chains[0].layout.offsets[places] + slot
            return chains.column(at) if isinstance(chains, Alike) else column(chains, at)
        return [chain.at(chain.layout.offsets[place] + slot) for chain, place in zip(chains, places)]

    def words(self, slots: Sequence[int], row: int) -> tuple[str, ...]:
        """The decoded words of a row's rule in these slots."""
        chain = self.chain(row)
        at = chain.layout.offsets[self.place(row)]
        return tuple([unquote(chain.at(at + slot)) for slot in slots])

    def take(self, rows: Sequence[int]) -> Batch:
        """The same for some rows, in this order."""
        chains, places = self.chains, self.places
        return Batch(
            self.shape,
            chains if isinstance(chains, Chain) else [chains[row] for row in rows],
            places if isinstance(places, int) else [places[row] for row in rows],
        )


def _words_at(places: Sequence[int], chain: Chain, slot: int) -> CachedColumn[str]:
    offsets, values = chain.layout.offsets, chain.values
    return CachedColumn([values[offsets[place] + slot] for place in places])
