"""Columns with one value per row, for the packets of a crowd and the chains that they are in.

Most rules treat all rows alike; what holds for all rows is then passed on without a copy.
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
    """The values of some rows, in the order given. If `rows` is a range over the whole column, the column itself."""
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
    """The rows of two columns whose values agree: their numbers in the first and in the second. With `some`, a part of
    the rows may agree; otherwise all must. None if none do."""
    first, second = list(one), list(other)
    if first == second:
        return range(len(first)), range(len(second))
    if not some:
        return None
    places = dict(zip(second, range(len(second))))
    found = [(row, places[value]) for row, value in enumerate(first) if value in places]
    return ([row for row, _ in found], [place for _, place in found]) if found else None


def rows_left(count: int, parts: Sequence[tuple[int, ...] | None]) -> tuple[int, ...] | None:
    """The rows that are in none of the parts. A part of None has all rows; the result None means all rows."""
    if not parts:
        return None
    gone: set[int] = set()
    for part in parts:
        if part is None:
            return ()
        gone.update(part)
    return tuple([row for row in range(count) if row not in gone])


def whole_blocks(rows: Sequence[int], width: int) -> Sequence[int] | None:
    """The numbers of the blocks of `width` rows that these rows fill; None if they fill a block only in part."""
    numbers = sorted({row // width for row in rows})
    return numbers if len(numbers) * width == len(rows) else None


class AlikeChains(tuple[Chain, ...]):
    """Chains of one layout, one per row. Each column is read once, however many crowds enter them.

    Compared by identity: the same jumps always lead to the same object.
    """

    def __init__(self, chains: Iterable[Chain]) -> None:
        self._values = [chain.values for chain in self]
        self._columns: dict[int, CachedColumn[str]] = {}
        self._shared: dict[tuple[int, ...], tuple[str, ...] | None] = {}
        self._parts: dict[tuple[int, ...], Chain | AlikeChains] = {}

    @classmethod
    def of(cls, ground: Chain | AlikeChains, rows: Sequence[int] | None) -> AlikeChains:
        """The chains of some rows; with `rows` None, of all."""
        if isinstance(ground, Chain):
            return cls((ground,))
        return ground if rows is None else cls(map(ground.__getitem__, rows))

    def part(self, rows: tuple[int, ...]) -> Chain | AlikeChains:
        """The chains of some rows, or their only chain. The same rows give the same object each time."""
        if rows not in self._parts:
            chains = AlikeChains(map(self.__getitem__, rows))
            self._parts[rows] = chains[0] if len(set(chains)) == 1 else chains
        return self._parts[rows]

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def column(self, place: int) -> CachedColumn[str]:
        """The chains' words at one place of `Chain.values`."""
        column = self._columns.get(place)
        if column is None:
            column = self._columns[place] = CachedColumn([values[place] for values in self._values])
        return column

    def shared(self, places: tuple[int, ...]) -> tuple[str, ...] | None:
        """The words at these places (at least two) of `Chain.values`, if all chains agree on them."""
        if places not in self._shared:
            words = itemgetter(*places)
            first = words(self._values[0])
            alike = all(map(first.__eq__, map(words, self._values)))
            self._shared[places] = first if alike else None
        return self._shared[places]


class Batch(Record, eq=False):
    """One rule per row: number `places[row]` of `chains[row]`. A single chain or place applies to all rows."""

    shape: Shape
    chains: Chain | Sequence[Chain]
    places: int | Sequence[int]

    @property
    def single(self) -> bool:
        """Whether all rows have the same rule."""
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
        """The rules' words in one slot of their shape, as written."""
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
        """The batch of some rows, in the order given."""
        chains, places = self.chains, self.places
        return Batch(
            self.shape,
            chains if isinstance(chains, Chain) else [chains[row] for row in rows],
            places if isinstance(places, int) else [places[row] for row in rows],
        )


def _words_at(places: Sequence[int], chain: Chain, slot: int) -> CachedColumn[str]:
    offsets, values = chain.layout.offsets, chain.values
    return CachedColumn([values[offsets[place] + slot] for place in places])
