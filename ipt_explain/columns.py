"""Records in columns: a large node has a hundred thousand endpoints, and most questions are about one field of all of
them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Any, TypeVar, overload

from ipt_explain.records import Record

Row = TypeVar("Row", bound=Record)
Other = TypeVar("Other", bound=Record)


_NO_ROWS = slice(0, 0)


class Columns(Sequence[Row]):
    """Records of one kind, made on first use.

    `columns` has values by field, one for each record; a field without a column is None in all records. Two kinds may
    share columns: each takes its own fields. Of the columns `within`, which others share, the records are `rows`.
    """

    __slots__ = ("_columns", "_kind", "_made", "_rows", "_within")

    def __init__(
        self, kind: type[Row], columns: Mapping[str, Sequence[Any]],
        within: Mapping[str, Sequence[Any]] = MappingProxyType({}), rows: slice = _NO_ROWS,
    ) -> None:  # fmt: skip
        self._kind = kind
        self._columns = columns
        self._within = within
        self._rows = rows
        self._made: tuple[Row, ...] | None = None

    def column(self, field: str) -> Sequence[Any]:
        """The values of a field. Raises AttributeError if records of this kind have no such field."""
        values = self._columns.get(field)
        if values is not None:
            return values
        if field in self._within:
            return self._within[field][self._rows]
        if field not in self._kind.__match_args__:
            raise AttributeError(f"{self._kind.__name__} has no field {field}")
        return nothing(len(self))

    def columns(self, fields: tuple[str, ...]) -> Sequence[Sequence[Any]]:
        """The values of some fields, as `column` gives those of one."""
        if not _has_fields(self._kind, fields):  # type: ignore[arg-type]  # classes can be hashed
            return list(map(self.column, fields))  # which says what is wrong
        own, within, rows, absent = self._columns, self._within, self._rows, nothing(len(self))
        return [
            own[field] if field in own else within[field][rows] if field in within else absent for field in fields
        ]

    def of_kind(self, kind: type[Other]) -> Columns[Other]:
        """The same columns as records of another kind."""
        return Columns(kind, self._columns, self._within, self._rows)

    def with_columns(self, **columns: Sequence[Any]) -> Columns[Row]:
        """The same records with other values in some fields."""
        return Columns(self._kind, {**self._columns, **columns}, self._within, self._rows)

    def part(self, start: int, stop: int) -> Columns[Row]:
        """The records from `start` up to, but not including, `stop`: ten thousand Services share their columns."""
        if self._within:
            return self.rows(range(start, stop))
        return Columns(self._kind, {}, self._columns, slice(start, stop))

    def rows(self, rows: Sequence[int]) -> Columns[Row]:
        """The records at these places."""
        return Columns(self._kind, {field: [values[row] for row in rows] for field, values in self._all()})

    @classmethod
    def joined(cls, parts: Sequence[Columns[Row]]) -> Columns[Row]:
        """The records of one or more parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        given = [dict(part._all()) for part in parts]
        fields = {field for columns in given for field in columns}
        in_parts = {
            field: [columns[field] if field in columns else nothing(len(part)) for columns, part in zip(given, parts)]
            for field in fields
        }
        return cls(parts[0]._kind, {field: list(chain.from_iterable(values)) for field, values in in_parts.items()})

    def _all(self) -> Iterator[tuple[str, Sequence[Any]]]:
        """All columns, by their fields."""
        for field, values in self._within.items():
            if field not in self._columns:
                yield field, values[self._rows]
        yield from self._columns.items()

    def _records(self) -> tuple[Row, ...]:
        if self._made is None:
            self._made = tuple(map(self._kind, *columns(self, self._kind.__match_args__)))
        return self._made

    def __len__(self) -> int:
        if self._within:
            count: int = self._rows.stop - self._rows.start
            return count
        return len(next(iter(self._columns.values())))

    def __iter__(self) -> Iterator[Row]:
        return iter(self._records())

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if self._made is None and isinstance(index, int):
            return self._kind(*[values[index] for values in columns(self, self._kind.__match_args__)])
        return self._records()[index]

    def __eq__(self, other: object) -> bool:
        return self._records() == (other._records() if isinstance(other, Columns) else other)

    def __hash__(self) -> int:
        return hash(self._records())

    def __repr__(self) -> str:
        return repr(self._records())


@lru_cache(maxsize=64)
def _has_fields(kind: type[Record], fields: tuple[str, ...]) -> bool:
    return set(fields).issubset(kind.__match_args__)


@lru_cache(maxsize=1024)
def nothing(count: int) -> Sequence[None]:
    """A column of `count` records that are all None."""
    return (None,) * count


@lru_cache(maxsize=1024, typed=True)
def constant(value: Hashable, count: int) -> Sequence[Any]:
    """A column of `count` records that all have this value."""
    return (value,) * count


def in_columns(records: Sequence[Row], kind: type[Row]) -> Columns[Row]:
    """The same records, in columns."""
    if isinstance(records, Columns):
        return records
    fields = kind.__match_args__
    return Columns(kind, dict(zip(fields, columns(records, fields))))


def column(records: Sequence[Any], field: str) -> Sequence[Any]:
    """The values of a field, without making records that are kept in columns."""
    if isinstance(records, Columns):
        return records.column(field)
    return [getattr(record, field) for record in records]


def columns(records: Sequence[Any], fields: tuple[str, ...]) -> Sequence[Sequence[Any]]:
    """The values of some fields, without making records that are kept in columns."""
    if isinstance(records, Columns):
        return records.columns(fields)
    return [[getattr(record, field) for record in records] for field in fields]
