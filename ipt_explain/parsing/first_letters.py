"""A cheap test whether every line of a text begins like one of iptables-save.

It replaces a search for everything else that people paste, which would take as long as reading a large dump.
"""

from __future__ import annotations

import re

from ipt_explain.patterns import lazy_pattern

# The most frequent beginnings come first. `-A -t` is ipvsadm's. A line after a `\` continues a rule. Searching for `^`
# instead of the line feed takes seven times as long.
_ODD_LINE = lazy_pattern(r"\n(?!-A [^-]|:|\[\d|[*#\n]|-[B-Z][ \t]|-A\t|COMMIT$|\Z)(?<!\\\n)", re.MULTILINE)


def has_odd_lines(text: str) -> bool:
    """Whether any line begins differently."""
    first = text[: text.find("\n") + 1] or text
    return _ODD_LINE.match(f"\n{first}") is not None or _ODD_LINE.search(text) is not None
