"""Listings whose lines a page's text, or a form, put on one line."""

from __future__ import annotations

import re

_COUNTS = r"\d{1,20}[KMGTP]? \d{1,20}[KMGTP]? "
_HEADER = re.compile(r"(num )?(pkts bytes )?target prot opt (?:in out )?source destination (?!\n)(?=\S)")
_PROTOCOL = r"(?:all|tcp|udp|sctp|icmp|icmpv6|0|6|17|132) (?:--|-f|!f|—|–) "
_CHAIN = r"Chain \S{1,99} \((?:policy [A-Z]|\d+ references?\))"


def apart(text: str) -> str:
    """The text with each chain, header and row of such a listing on a line of its own."""
    if _HEADER.search(text) is None:
        return text
    return "\n".join(map(_apart, text.split("\n")))


def _apart(line: str) -> str:
    header = _HEADER.search(line)
    if header is None:
        return line
    begin = ("[0-9]{1,6} " if header[1] else "") + (_COUNTS if header[2] else "")
    named = header[0].rstrip()
    beginning = re.compile(rf" ({re.escape(named)}(?= )|{_CHAIN}|{begin}[\w.-]{{2,99}} {_PROTOCOL}|```(?: |\Z))")
    return beginning.sub(_line, line)


def _line(found: re.Match[str]) -> str:
    return f"\n{found[1].strip()}\n" if found[1].startswith("```") else f"\n{found[1]}"
