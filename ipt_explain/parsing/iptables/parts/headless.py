"""Parts of tables whose `*table` line is not in the text: it was cut off above, or lines were dropped from it."""

from __future__ import annotations

from collections.abc import Iterator


class Headless:
    """Where such parts stand among the rules outside of tables: `parts` are their first rule and the one after their
    last. `thinned` tells that lines are gone from the middle of the text; `begins_inside`, that the text begins inside
    a table, after its declarations.
    """

    def __init__(self, source: str) -> None:
        self.parts: list[tuple[int, int]] = []
        self.thinned = False
        self.begins_inside = False
        self._source = source
        self._tables = False
        self._begin = 0
        self._declared: int | None = None

    def declare(self, line: int) -> None:
        """A line outside of a table declares a chain."""
        if self._declared is None:
            self._declared = line

    def close(self, loose: int) -> bool:
        """A table ends that was never begun, after `loose` rules outside of tables. Returns whether there was one."""
        if self._begin == loose and self._declared is None:
            return not self._tables
        if self._tables:
            self.thinned = True
        elif self._declared is None:
            self.begins_inside = True
        self._take(loose)
        return True

    def begin_table(self, loose: int) -> None:
        """A table begins, or the text ends, after so many rules outside of tables."""
        if self._declared is not None:
            self.thinned = self.thinned or self._tables
            self._take(loose)
        self._begin, self._tables = loose, True

    def _take(self, loose: int) -> None:
        self.parts.append((self._begin, loose))
        self._begin, self._declared, self._tables = loose, None, True

    def warnings(self) -> Iterator[str]:
        """That there are such parts."""
        if self.parts:
            parts = "a table" if len(self.parts) == 1 else f"{len(self.parts)} tables"
            yield f"{self._source}: the `*table` line of {parts} is missing; the rules tell which table it is"
