"""Text cut off by the window of a pager or editor: its longest lines end at the window's edge."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.words import counted

_NARROWEST, _WIDEST = 60, 1000
"""The range of columns that windows have."""
_FEWEST = 2


def lines_cut_off(text: str) -> tuple[int, ...]:
    """The numbers of the longest lines, if several rules have the same greatest length; else none. They are known to be
    cut off only if they are unreadable and all others are not."""
    lines = text.split("\n")
    width = max(map(len, lines))
    if not _NARROWEST <= width <= _WIDEST:
        return ()
    longest = [number for number, line in enumerate(lines, 1) if len(line) == width and not line.startswith("#")]
    rules = sum(lines[number - 1].startswith(("-A ", "[")) for number in longest)
    return tuple(longest) if rules >= _FEWEST else ()


def without_lines(text: str, numbers: Sequence[int]) -> str:
    """The text with comments instead of these lines."""
    lines = text.split("\n")
    for number in numbers:
        lines[number - 1] = "#"
    return "\n".join(lines)


def warning(source: str, text: str, numbers: Sequence[int]) -> str:
    """The warning about lines that were cut off."""
    width = len(text.split("\n")[numbers[0] - 1])
    return (
        f"{source}: {counted(len(numbers), 'line')} end at column {width}, where a window cut them off, and were left "
        "out: save the rules into a file, or copy them from a wider window"
    )
