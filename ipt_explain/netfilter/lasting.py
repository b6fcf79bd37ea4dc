"""Columns of a hundred thousand values that several crowds meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, cast

Value = TypeVar("Value")
Said = TypeVar("Said")


class Lasting(list[Value]):
    """A column that lasts: whatever is read from all of it is read once."""

    def __init__(self, values: Iterable[Value]) -> None:
        super().__init__(values)
        self._said: dict[Callable[[Sequence[Value]], object], object] = {}

    def said(self, read: Callable[[Sequence[Value]], Said]) -> Said:
        """What `read` makes of it."""
        if read not in self._said:
            self._said[read] = read(self)
        return cast("Said", self._said[read])


def said(column: Sequence[Value], read: Callable[[Sequence[Value]], Said]) -> Said:
    """What `read` makes of a column, worked out once if it lasts."""
    return column.said(read) if isinstance(column, Lasting) else read(column)
