"""Wrapping of running text and of rules."""

from __future__ import annotations

import re
import textwrap

# What escaped text never has: it takes the place of a blank at which a line must not be broken.
_KEPT = "\0"
_WHOLE = re.compile(r'`[^`]*`|"[^"]*"|\d %')


def prose_lines(text: str, width: int, indent: str = "") -> list[str]:
    """The text in lines of at most `width` columns, at least one; `indent` begins all but the first.

    Short code and quotations stay on one line, since a command is copied by the line, and so do a number and its
    percent sign.
    """
    longest = (width - len(indent)) * 3 // 4
    kept = _WHOLE.sub(lambda found: found[0].replace(" ", _KEPT) if len(found[0]) <= longest else found[0], text)
    lines = textwrap.wrap(kept, width, subsequent_indent=indent, break_on_hyphens=False)
    return [line.replace(_KEPT, " ") for line in lines] or [""]
