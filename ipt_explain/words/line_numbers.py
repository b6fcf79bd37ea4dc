"""Line numbers in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_LINES = 12
"""The most numbers, or runs of them, that are listed."""


def line_numbers(numbers: Sequence[int]) -> str:
    """`line 4`, `5 lines (1-3, 7, 9)`; only the start of a long list. `numbers` are sorted and not empty."""
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
