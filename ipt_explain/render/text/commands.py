"""A shell command wrapped over several lines."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from ipt_explain.render.text.safe import cells, escape

_GOES_ON = " \\"
_INDENT = "  "


def command_lines(words: Sequence[str], first: str, width: int) -> Iterator[str]:
    """The command's lines, none wider than `width`, with `first` before the first. They can be pasted as one command.

    All lines but the last end in a backslash. A word wider than a line is broken; its rest starts at the left edge,
    since blanks would split the word.
    """
    indent = " " * len(first) + _INDENT
    line = first
    empty = True
    for number, word in enumerate(words):
        quoted = shlex.quote(escape(word))
        gap = "" if empty else " "
        room = width - (len(_GOES_ON) if number < len(words) - 1 else 0)
        if cells(line + gap + quoted) <= room:
            line += gap + quoted
        elif cells(indent + quoted) <= room:
            yield line + _GOES_ON
            line = indent + quoted
        else:
            if not empty:
                yield line + _GOES_ON
            *full, line = _pieces(escape(word), room - 1)
            yield from (f"{piece}\\" for piece in full)
        empty = False
    yield line


def _pieces(word: str, width: int) -> Iterator[str]:
    """A word in pieces, each quoted separately."""
    start = 0
    while start < len(word):
        end = start + 1
        while end < len(word) and cells(shlex.quote(word[start : end + 1])) <= width:
            end += 1
        yield shlex.quote(word[start:end])
        start = end
