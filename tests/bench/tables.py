"""Tables of measurements, as aligned text for a terminal or as Markdown for the README."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass
class Table:
    """A title, the columns' names (the first one is for the names of rows), and rows with as many cells."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def text(self) -> Iterator[str]:
        """Its lines, columns aligned."""
        cells = [self.columns, *self.rows]
        widths = [max(len(row[place]) for row in cells) for place in range(len(self.columns))]
        yield f"\n{self.title}"
        for first, *rest in cells:
            yield first.ljust(widths[0]) + "".join(f"  {cell:>{width}}" for cell, width in zip(rest, widths[1:]))

    def markdown(self) -> Iterator[str]:
        """Its lines as Markdown, without the title."""
        return map(_row, (self.columns, ["---", *["---:"] * (len(self.columns) - 1)], *self.rows))

    def show(self) -> None:
        """Print its text."""
        print("\n".join(self.text()), flush=True)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def beside_goal(figure: float, goal: float | None, unit: str = "") -> str:
    """A figure with its goal in parentheses, marked if it is higher."""
    if goal is None:
        return f"{figure:.2f}{unit}"
    return f"{figure:.2f}{unit} ({goal:g}{'' if figure <= goal else ', missed'})"
