"""A table of nft as a mail, a terminal or a person left it: wrapped lines, several lines in one, curled quotes.

nft indents everything inside a table, so a line there without indentation continues the one above; so does one after a
`\\`. Mail programs break at blanks, which go; terminals break anywhere, at one width.
"""

from __future__ import annotations

import re
from collections import Counter

from ipt_explain.patterns import lazy_pattern

CURLED, WRAPPED = "curled", "wrapped"
"""What was done to tables, and how often: quotes made straight (per table), lines joined."""

_CONTINUES = lazy_pattern(r"\n(?![ \t\n}#]|\.{3}|…|table (?:ip6?|inet|arp|bridge|netdev) |\Z)")
_QUOTED = re.compile(r'"[^"]*"')
_CURLED = str.maketrans("“”„‟″", '"""""')
_NUMBER = lazy_pattern(r"\b(ct state|ct status|fib [a-z .]{0,40}type) ((?:0x)?[\da-f]+(?:,(?:0x)?[\da-f]+)*)\b")
_NAMES = {
    "state": {"0x1": "invalid", "0x2": "established", "0x4": "related", "0x8": "new", "0x40": "untracked"},
    "status": {
        "0x1": "expected", "0x2": "seen-reply", "0x4": "assured", "0x8": "confirmed", "0x10": "snat", "0x20": "dnat"
    },
    "type": {"1": "unicast", "2": "local", "3": "broadcast", "4": "anycast", "5": "multicast"},
}  # fmt: skip
_OWN_LINE = (" ", "\t", "#", "...", "…")
_SHORTEST_WIDTH = 40
_ONE_LINE = re.compile(r"((?:chain|set|map) \S+ *\{)(.*)\}\Z")
_STATEMENT = re.compile(r'(?:[^;{}"]|"[^"]*"|\{[^{}]*\})+')


def as_printed(table: str, done: Counter[str]) -> str:
    """A table's text as nft printed it, with as many line feeds as before. Adds what was done to `done`."""
    if "ct state 0x" in table:  # `nft -n` prints numbers for names
        table = _NUMBER.sub(_named, table)
    if not table.isascii() and '"' not in table:
        straight = table.translate(_CURLED)
        done[CURLED] += straight != table
        table = straight
    if "\\\n" in table:
        done[WRAPPED] += table.count("\\\n")
        return "\n".join(_unescaped(table.split("\n")))
    if _CONTINUES.search(table) is None or table.partition("\n")[2][:1] not in (" ", "\t"):
        return table
    lines = table.split("\n")
    done[WRAPPED] += _joined(lines)
    return "\n".join(lines)


def _named(found: re.Match[str]) -> str:
    names = _NAMES[found[1].rpartition(" ")[2]]
    return f"{found[1]} {','.join(names.get(each, each) for each in found[2].split(','))}"


def _unescaped(lines: list[str]) -> list[str]:
    """The lines with those joined that end in a backslash; empty lines take the places of those that are gone."""
    made: list[str] = []
    whole = ""
    below = 0
    for line in lines:
        if line.endswith("\\"):
            whole += line[:-1]
            below += 1
        else:
            made.append(whole + line)
            made += [""] * below
            whole, below = "", 0
    return made if not below else [*made, whole, *[""] * (below - 1)]


def _joined(lines: list[str]) -> int:
    """Join lines to those that they continue, in place. Returns how many were."""
    places: list[int] = []
    depth = 0
    for place, line in enumerate(lines):
        bare = _QUOTED.sub("", line)
        opened, closed = bare.count("{"), bare.count("}")
        closes_table = line.startswith("}") and depth + opened - closed <= 0
        if place and depth > 0 and line and not line.startswith(_OWN_LINE) and not closes_table:
            places.append(place)
        depth += opened - closed
    widths = {len(lines[place - 1]) for place in places}
    width = max(widths, default=0)
    # Only the last piece may be shorter than the width.
    hard = len(widths) == 1 < len(places) and _SHORTEST_WIDTH <= width == max(map(len, lines))
    glue = "" if hard else " "
    if hard and lines[1].startswith("\t"):
        places = [
            place
            for place, line in enumerate(lines)
            if place and len(lines[place - 1]) == width and line and line[0] != "\t"
        ]
    pieces: list[str] = []
    for place, following in zip(places, [*places[1:], 0]):
        pieces = pieces or [lines[place - 1]]
        pieces.append(lines[place])
        lines[place] = ""
        if following != place + 1:
            lines[place + 1 - len(pieces)] = glue.join(map(str.rstrip, pieces) if glue else pieces)
            pieces = []
    return len(places)


def end_of_braces(text: str, end: int) -> int:
    """The end of a rule whose braces were wrapped; `end` is that of its first line."""
    opening = text.find("{", end)
    closing = text.find("}", end, opening if opening >= 0 else len(text))
    if closing < 0:
        return end
    end = text.find("\n", closing)
    return len(text) if end < 0 else end


def printed_lines(line: str, in_block: bool) -> list[str]:
    """The lines that nft would print for a chain or set on one line, or, in a block, for statements with `;` between
    them; none if the line is neither."""
    block = _ONE_LINE.match(line)
    parts = [part.strip() for part in _STATEMENT.findall(line if block is None else block[2])]
    if block is None and (len(parts) < 2 or not in_block):
        return []
    if len(parts) > 1 and parts[1].startswith("policy ") and " hook " in parts[0]:
        parts[:2] = [f"{parts[0]}; {parts[1]};"]
    elif parts and " hook " in parts[0]:
        parts[0] += ";"
    if block is not None:
        return [block[1], *parts, "}"]
    return [] if parts == [line] else parts
