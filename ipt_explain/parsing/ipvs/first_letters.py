"""How lines of ipvsadm, ipset and `ip addr` begin: a look that costs next to nothing where there are none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipt_explain.patterns import lazy_pattern

# Nearly all lines of a dump of iptables are passed at their first letters, what goes on after a `\` at the one before.
_WORTH_A_LOOK = r"(?:[^-:*#\[C\n]|-A -|-a|--)"
_FIRST = lazy_pattern("^" + _WORTH_A_LOOK, re.MULTILINE)
_LATER = lazy_pattern("\n(?<!\\\\\n)" + _WORTH_A_LOOK)  # searching for `^` takes seven times as long


def lines_worth_a_look(text: str, position: int = 0) -> Iterator[int]:
    """Where the lines begin, from `position` on, that one of the tools may have printed."""
    if _FIRST.match(text, position):
        yield position
    for found in _LATER.finditer(text, position):
        yield found.start() + 1
