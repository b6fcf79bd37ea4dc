"""Text that the window of a pager or an editor cut off: its longest lines end where the window did."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.words.counts import counted

_NARROWEST, _WIDEST = 60, 1000
"""Windows have as many columns."""
_FEWEST = 2


def lines_cut_off(text: str) -> tuple[int, ...]:
    """The numbers of the lines that are as long as the longest, where several rules are; else none. That they are cut
    off shows only where all others can be read, and these cannot.
    """
    lines = text.split("\n")
    width = max(map(len, lines))
    if not _NARROWEST <= width <= _WIDEST:
        return ()
    longest = [number for number, line in enumerate(lines, 1) if len(line) == width and not line.startswith("#")]
    rules = sum(lines[number - 1].startswith(("-A ", "[")) for number in longest)
    return tuple(longest) if rules >= _FEWEST else ()


def without_lines(text: str, numbers: Sequence[int]) -> str:
    """The text with a comment in the place of some lines."""
    lines = text.split("\n")
    for number in numbers:
        lines[number - 1] = "#"
    return "\n".join(lines)


def warning(source: str, text: str, numbers: Sequence[int]) -> str:
    """What people should know of it."""
    width = len(text.split("\n")[numbers[0] - 1])
    return (
        f"{source}: {counted(len(numbers), 'line')} end at column {width}, where a window cut them off, and were left "
        "out: save the rules into a file, or copy them from a wider window"
    )
