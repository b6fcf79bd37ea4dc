"""Mails on their way, in the form `quoted-printable`: `=3D` is `=`, and a line that ends in `=` goes on below."""

from __future__ import annotations

import quopri
import re

_SOFT_BREAK = re.compile(r"=[ \t]*\Z")
_LITERAL = re.compile(r"=(?![0-9A-F]{2}|[ \t]*$)|elements =$", re.MULTILINE)
"""No mail program leaves such a sign as it is."""
_FEWEST = 2
_LONGEST = 78
"""Mail programs encode into lines of at most 76 characters."""


def as_written(text: str) -> tuple[str, int]:
    """The text as its author wrote it, in as many lines, and how many lines were joined or decoded; 0 for a text that
    is not of this form."""
    if "=" not in text:
        return text, 0
    lines = text.split("\n")
    breaks = sum(line.rstrip(" \t").endswith("=") for line in lines)
    if breaks < _FEWEST or max(map(len, lines)) > _LONGEST or _LITERAL.search(text):
        return text, 0
    made: list[str] = []
    parts: list[str] = []
    changed = 0
    for line in lines:
        bare = _SOFT_BREAK.sub("", line)
        if bare != line:
            parts.append(bare)
            changed += 1
            continue
        whole = "".join((*parts, line))
        changed += "=" in whole
        made += [_decoded(whole), *[""] * len(parts)]
        parts = []
    made += parts
    return "\n".join(made), changed


def _decoded(line: str) -> str:
    if "=" not in line:
        return line
    return quopri.decodestring(line.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")
