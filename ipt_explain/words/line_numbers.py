"""How the numbers of lines are told."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_LINES = 12
"""So many numbers, or runs of them, are told."""


def line_numbers(numbers: Sequence[int]) -> str:
    """`line 4`, `5 lines (1-3, 7, 9)`, of a long list the first; `numbers` are in order, and not none."""
    runs: list[str] = []
    start = previous = numbers[0]
    for number in [*numbers[1:], 0]:
        if number != previous + 1:
            runs.append(str(start) if start == previous else f"{start}-{previous}")
            start = number
        previous = number
    shown = ", ".join(runs[:_MOST_LINES])
    if len(runs) > _MOST_LINES:
        shown += ", …"
    return f"line {shown}" if len(numbers) == 1 else f"{len(numbers):,} lines ({shown})"
