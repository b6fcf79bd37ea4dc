"""Columns that cache what was computed from them: several crowds meet the same ten thousand chains."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar, cast

Value = TypeVar("Value")
Result = TypeVar("Result")


class CachedColumn(list[Value]):
    """A column that caches what `cached` computes from all of it. It must not change."""

    def __init__(self, values: Iterable[Value]) -> None:
        super().__init__(values)
        self.cache: dict[Hashable, object] = {}


def cached(column: Sequence[Value], work: Callable[..., Result], *about: Hashable) -> Result:
    """`work(column, *about)`, once for a column that has a cache."""
    if not isinstance(column, CachedColumn):
        return work(column, *about)
    key = (work, *about)
    if key not in column.cache:
        column.cache[key] = work(column, *about)
    return cast("Result", column.cache[key])
