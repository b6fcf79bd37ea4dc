"""Columns: of a crowd, and of the chains that it is in, one value a row.

Most rules treat all rows alike, and what is asked for all of them is not copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import TypeVar, cast

from ipt_explain.model import Chain, Rule, Shape, column
from ipt_explain.model.rule import unquote
from ipt_explain.netfilter.cached import CachedColumn, cached
from ipt_explain.netfilter.condition import Column
from ipt_explain.records import Record

Value = TypeVar("Value")


def picked(column: Sequence[Value], rows: Sequence[int]) -> Sequence[Value]:
    """The values of some rows, in their order; the column itself where a range names all of them."""
    if isinstance(column, range) and column == range(len(column)):
        return cast("Sequence[Value]", rows)  # rows that count themselves
    if not isinstance(rows, range):
        return list(map(column.__getitem__, rows))
    return column if len(rows) == len(column) else column[rows.start : rows.stop]


def is_alike(column: Sequence[object]) -> bool:
    """Whether all values of a column are the same."""
    return len(column) > 0 and column[0] == column[-1] and column.count(column[0]) == len(column)


def alike_rows(
    one: Iterable[object], other: Iterable[object], some: bool
) -> tuple[Sequence[int], Sequence[int]] | None:
    """The rows that are alike in two columns, in each; without `some` of them, all or none. None if none are."""
    first, second = list(one), list(other)
    if first == second:
        return range(len(first)), range(len(second))
    if not some:
        return None
    places = dict(zip(second, range(len(second))))
    found = [(row, places[value]) for row, value in enumerate(first) if value in places]
    return ([row for row, _ in found], [place for _, place in found]) if found else None


def rows_left(count: int, parts: Sequence[tuple[int, ...] | None]) -> tuple[int, ...] | None:
    """The rows that are in none of the parts; None for all."""
    if not parts:
        return None
    gone: set[int] = set()
    for part in parts:
        if part is None:
            return ()
        gone.update(part)
    return tuple([row for row in range(count) if row not in gone])


def whole_blocks(rows: Sequence[int], width: int) -> Sequence[int] | None:
    """The numbers of the blocks of `width` rows that these rows fill; None where they leave one half filled."""
    numbers = sorted({row // width for row in rows})
    return numbers if len(numbers) * width == len(rows) else None


class AlikeChains(tuple[Chain, ...]):
    """Chains of one layout, one a row. What they say in one place is read once, however many crowds enter them. They
    compare by identity, as the same jumps lead to the same ones.
    """

    def __init__(self, chains: Iterable[Chain]) -> None:
        self._values = [chain.values for chain in self]
        self._columns: dict[int, CachedColumn[str]] = {}
        self._shared: dict[tuple[int, ...], tuple[str, ...] | None] = {}
        self._parts: dict[tuple[int, ...], Chain | AlikeChains] = {}

    @classmethod
    def of(cls, ground: Chain | AlikeChains, rows: Sequence[int] | None) -> AlikeChains:
        """The chains that some rows are in; `rows` None: all."""
        if isinstance(ground, Chain):
            return cls((ground,))
        return ground if rows is None else cls(map(ground.__getitem__, rows))

    def part(self, rows: tuple[int, ...]) -> Chain | AlikeChains:
        """The chain of some rows, or the chains: the same object each time."""
        if rows not in self._parts:
            chains = AlikeChains(map(self.__getitem__, rows))
            self._parts[rows] = chains[0] if len(set(chains)) == 1 else chains
        return self._parts[rows]

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def column(self, place: int) -> CachedColumn[str]:
        """The words that they have in a place of `Chain.values`."""
        column = self._columns.get(place)
        if column is None:
            column = self._columns[place] = CachedColumn([values[place] for values in self._values])
        return column

    def shared(self, places: tuple[int, ...]) -> tuple[str, ...] | None:
        """The words in these places of `Chain.values`, two at least, if all of them have the same there."""
        if places not in self._shared:
            words = itemgetter(*places)
            first = words(self._values[0])
            alike = all(map(first.__eq__, map(words, self._values)))
            self._shared[places] = first if alike else None
        return self._shared[places]


class Batch(Record, eq=False):
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
            return chains.column(at) if isinstance(chains, AlikeChains) else column(chains, at)
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
