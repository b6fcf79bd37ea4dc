"""Columns: of a crowd, and of the chains that it is in, one value a row.

Most rules treat all rows alike, and what is asked for all of them is not copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar, cast

from ipt_explain.model import Chain
from ipt_explain.netfilter.lasting import Lasting

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


class Alike(tuple[Chain, ...]):
    """Chains of one layout, one a row. What they say in one place is read once, however many crowds enter them. They
    compare by identity, as the same jumps lead to the same ones.
    """

    def __init__(self, chains: Iterable[Chain]) -> None:
        self._values = [chain.values for chain in self]
        self._columns: dict[int, Lasting[str]] = {}

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def column(self, place: int) -> Lasting[str]:
        """The words that they have in a place of `Chain.values`."""
        column = self._columns.get(place)
        if column is None:
            column = self._columns[place] = Lasting([values[place] for values in self._values])
        return column
