"""Concatenations in columns: a large node's maps have a hundred thousand, and most questions are about one part of all
of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from ipt_explain.model.nft.expressions import Concatenation, Expression


class Concatenations(Sequence[Concatenation]):
    """Concatenations of equally many values, made on demand. `parts` has a column for each part."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Sequence[Expression]]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return len(self.parts[0])

    def __iter__(self) -> Iterator[Concatenation]:
        return map(Concatenation, zip(*self.parts))

    @overload
    def __getitem__(self, index: int) -> Concatenation: ...
    @overload
    def __getitem__(self, index: slice) -> Concatenations: ...
    def __getitem__(self, index: int | slice) -> Concatenation | Concatenations:
        if isinstance(index, slice):
            return Concatenations([part[index] for part in self.parts])
        return Concatenation(tuple([part[index] for part in self.parts]))


def in_parts(expressions: Sequence[Expression | None], count: int) -> Sequence[Sequence[Expression]] | None:
    """The parts of expressions, a column for each part; None unless each has `count` parts."""
    if isinstance(expressions, Concatenations):
        return expressions.parts if len(expressions.parts) == count else None
    parts = [each.parts if isinstance(each, Concatenation) else (each,) for each in expressions]
    return list(zip(*parts)) if set(map(len, parts)) == {count} else None

