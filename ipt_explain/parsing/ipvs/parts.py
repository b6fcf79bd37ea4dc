"""Whether all of a tool's output is in a text, as far as the lines around it tell."""

from __future__ import annotations

from ipt_explain.parsing.iptables.outputs import is_elision
from ipt_explain.parsing.pastes.commands import is_filtered
from ipt_explain.patterns import lazy_pattern

# A set's own count of elements shows whether it is cut; servers and interfaces have no such count.
_OF_ONE_SERVER = lazy_pattern(r"ipvsadm [^|;]{0,80}(?<![\w-])(?:-[tuf]|--(?:tcp|udp|sctp|fwmark)-service)[ \t=]")
_LONGEST = 1000
_LINES = 4
"""How many lines may be between a command and its output: fences, headings."""


def is_part(text: str, before: int, start: int, end: int, of_servers: bool) -> bool:
    """Whether a command or a person left out some of the output from `start` to `end`, which is the next one after
    `before`."""
    above = _last_line(text[max(before, start - _LONGEST) : start])
    return (
        is_elision(above)
        or is_elision(text[end : end + _LONGEST].partition("\n")[0])
        or is_filtered(above)
        or (of_servers and _OF_ONE_SERVER.search(above) is not None)
    )


def _last_line(text: str) -> str:
    """The last line that is neither empty nor a fence or a heading in bold."""
    for line in reversed(text.split("\n")[-_LINES - 1 :]):
        if line.strip() and not line.lstrip().startswith(("```", "~~~", "**")):
            return line
    return ""
