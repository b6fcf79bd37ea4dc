"""Listings whose lines a page's text, or a form, put on one line."""

from __future__ import annotations

import re

_COUNTS = r"\d{1,20}[KMGTP]? \d{1,20}[KMGTP]? "
_HEADER = re.compile(r"(num )?(pkts bytes )?target prot opt (?:in out )?source destination (?!\n)(?=\S)")
# A terminal padded these lines to its width, and a copy of it lacks some of the line feeds.
_JOINED_ROW = re.compile(
    r"^([ \t]*(?:num +)?(?:pkts +bytes +)?target +prot +opt +(?:in +out +)?source +destination)[ \t]{20,}(?=\S)",
    re.MULTILINE,
)
_PADDED_CHAIN = re.compile(r"^[ \t]{41,}(?=Chain \S{1,99} \()", re.MULTILINE)
_PROTOCOL = r"(?:all|tcp|udp|sctp|icmp|icmpv6|0|6|17|132) (?:--|-f|!f|—|–) "
_CHAIN = r"Chain \S{1,99} \((?:policy [A-Z]|\d+ references?\))"


_ALIGNED = re.compile(r"^[ \t]*Chain {2,}\S+ +\(\S+ +\S.*(?:\n.*\S.*)*", re.MULTILINE)
_BLANKS = re.compile(r"(?<=\S)[ \t]{2,}")


def unaligned(text: str) -> str:
    """The text without the blanks that `column -t` puts between words of a listing, those in comments included."""
    return _ALIGNED.sub(lambda listing: _BLANKS.sub(" ", listing[0]), text)


def apart(text: str) -> str:
    """The text with each chain, header and row of such a listing on a line of its own."""
    text = _PADDED_CHAIN.sub("", _JOINED_ROW.sub(r"\1\n", text))
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
