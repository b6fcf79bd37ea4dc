"""Records in columns: a large node has a hundred thousand endpoints, and most questions are about one field of all of
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeVar, overload

Record = TypeVar("Record")


class Columns(Sequence[Record]):
    """Records of one kind, made on first use. `columns` are the kind's fields, in its order, with one value for each
    record.
    """

    __slots__ = ("_columns", "_kind", "_made")

    def __init__(self, kind: Callable[..., Record], /, **columns: Sequence[Any]) -> None:
        self._kind = kind
        self._columns = columns
        self._made: tuple[Record, ...] | None = None

    def column(self, field: str) -> Sequence[Any]:
        """The values of a field."""
        return self._columns[field]

    def with_columns(self, **columns: Sequence[Any]) -> Columns[Record]:
        """The same records with other values in some fields."""
        changed = Columns(self._kind)
        changed._columns = self._columns | columns
        return changed

    def part(self, start: int, stop: int) -> Columns[Record]:
        """The records from `start` up to, but not including, `stop`."""
        return Columns(self._kind, **{field: values[start:stop] for field, values in self._columns.items()})

    @classmethod
    def joined(cls, parts: Sequence[Columns[Record]]) -> Columns[Record]:
        """The records of one or more parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        kind, fields = parts[0]._kind, parts[0]._columns
        return cls(kind, **{field: [value for part in parts for value in part._columns[field]] for field in fields})

    def _records(self) -> tuple[Record, ...]:
        if self._made is None:
            self._made = tuple(map(self._kind, *self._columns.values()))
        return self._made

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records())

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        return self._records()[index]

    def __eq__(self, other: object) -> bool:
        return self._records() == (other._records() if isinstance(other, Columns) else other)

    def __hash__(self) -> int:
        return hash(self._records())

    def __repr__(self) -> str:
        return repr(self._records())


@lru_cache(maxsize=1024)
def nothing(count: int) -> Sequence[None]:
    """A column of `count` records that are all None."""
    return (None,) * count


def in_columns(records: Sequence[Record], kind: type[Record]) -> Columns[Record]:
    """The same records, in columns."""
    if isinstance(records, Columns):
        return records
    fields: tuple[str, ...] = kind.__match_args__  # type: ignore[attr-defined]  # as every record has
    return Columns(kind, **dict(zip(fields, columns(records, fields))))


def column(records: Sequence[Any], field: str) -> Sequence[Any]:
    """The values of a field, without making records that are kept in columns."""
    if isinstance(records, Columns):
        return records.column(field)
    return [getattr(record, field) for record in records]


def columns(records: Sequence[Any], fields: Sequence[str]) -> Sequence[Sequence[Any]]:
    """The values of some fields, without making records that are kept in columns."""
    if isinstance(records, Columns):
        return list(map(records._columns.__getitem__, fields))
    return [[getattr(record, field) for record in records] for field in fields]
