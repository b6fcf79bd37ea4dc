"""Columns of many values that several crowds meet."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar, cast

Value = TypeVar("Value")
Said = TypeVar("Said")


class Lasting(list[Value]):
    """A column that lasts: whatever is read from all of it is read once."""

    def __init__(self, values: Iterable[Value]) -> None:
        super().__init__(values)
        self.known: dict[Hashable, object] = {}


def said(column: Sequence[Value], read: Callable[..., Said], *about: Hashable) -> Said:
    """What `read` makes of a column, worked out once if it lasts."""
    if not isinstance(column, Lasting):
        return read(column, *about)
    key = (read, *about)
    if key not in column.known:
        column.known[key] = read(column, *about)
    return cast("Said", column.known[key])
