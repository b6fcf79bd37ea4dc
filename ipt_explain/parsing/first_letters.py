"""Whether each line of a text begins as iptables-save has it: a look that costs next to nothing.

It stands for a search for each thing else that people paste, which would take as long as reading a large dump.
"""

from __future__ import annotations

import re

from ipt_explain.patterns import lazy_pattern

# The most frequent beginnings come first. `-A -t` is ipvsadm's.
_ODD_LINE = r"(?!-A [^-]|:|\[\d|[*#\n]|-[B-Z][ \t]|-A\t|COMMIT$|\Z)"
_FIRST = lazy_pattern(_ODD_LINE, re.MULTILINE)
# What goes on after a `\` is a rule's. Searching for `^` instead of the line feed takes seven times as long.
_LATER = lazy_pattern(rf"\n{_ODD_LINE}(?<!\\\n)", re.MULTILINE)


def has_odd_lines(text: str) -> bool:
    """Whether some line begins otherwise."""
    return _FIRST.match(text) is not None or _LATER.search(text) is not None
