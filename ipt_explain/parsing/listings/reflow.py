"""Listings whose long lines a terminal or a mail program wrapped, all at one width.

A terminal breaks lines at its edge, inside words and between columns; a mail program breaks them at blanks, which are
gone then. Rows are joined only if all of them read as rows then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ipt_explain.parsing.iptables.outputs import JOINED
from ipt_explain.parsing.listings.columns import begins_row, guess_header, read_header
from ipt_explain.parsing.pastes.commands import read_command

_CHAIN = re.compile(r"[ \t]*Chain \S+ \(")
_FEWEST = 2
_NARROWEST = 60
_WIDEST_GAP = 24
"""More blanks than these are between no two columns."""


def reflowed(text: str, start: int) -> str:
    """The text with whole rows in place of wrapped ones, and JOINED in place of what was joined to them; the same text
    if nothing is wrapped. The first listing begins at `start`."""
    lines = text[start:].split("\n")
    rests = list(_rests(lines))
    pieces = _pieces(lines, rests) if len(rests) >= _FEWEST else {}
    whole = {place: "".join(parts) for place, parts in pieces.items()}
    if not whole or not all(read_header(line) or guess_header(line) for line in whole.values()):
        return text
    for place in rests:
        lines[place] = JOINED
    for place, line in whole.items():
        lines[place] = line
    return text[:start] + "\n".join(lines)


def _rests(lines: Sequence[str]) -> Iterator[int]:
    """The lines of listings that begin like none."""
    in_chain = False
    for place, line in enumerate(lines):
        if not line:
            in_chain = False
        elif _CHAIN.match(line):
            in_chain = True
        elif in_chain and not begins_row(line) and not line.startswith("#"):
            if read_command(line) is not None:
                in_chain = False
            else:
                yield place


def _pieces(lines: Sequence[str], rests: Sequence[int]) -> dict[int, list[str]]:
    """The pieces of each wrapped line, by the place of the first; none if they were not broken at one width."""
    ends = [len(lines[place - 1]) for place in rests]
    width = max(map(len, lines[rests[0] - 1 : rests[-1] + 1]))
    at_edge = ends.count(width)
    hard = at_edge > 1 and at_edge * 2 >= len(ends)
    fits = (end + _WIDEST_GAP + len(lines[place].split(" ", 1)[0]) <= width for place, end in zip(rests, ends))
    if width < _NARROWEST or (not hard and any(fits)):
        return {}
    pieces: dict[int, list[str]] = {}
    first = above = rests[0] - 1
    for place, end in zip(rests, ends):
        if place - 1 != above:
            first = place - 1
        above = place
        pieces.setdefault(first, [lines[first]]).extend(("" if hard and end == width else " ", lines[place]))
    return pieces
