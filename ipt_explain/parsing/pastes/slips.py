"""What people and pages leave out of a rule, or put into it: repaired where it then is one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ipt_explain.parsing.iptables.diagnosis import safe_normalisation

_SLIPS = (
    (re.compile(r" (?<!-m comment )--comment "), " -m comment --comment ", "`-m comment` was left out"),
    (re.compile(r" -- ?([a-z]+)(?: (-[a-z]+))?(?= )"), r" --\1\2", "spaces inside an option were ignored"),
    (re.compile(r"\A(-A KUBE-[A-Z]{2,3}-[A-Z0-9]{16})(?=-)"), r"\1 ", "the space after a chain's name was missing"),
    (re.compile(r"(?<=[A-Z]-) {2,}(?=[A-Z0-9-]+\Z)"), "", "spaces inside a name were ignored"),
)
_BESIDE = re.compile(r"[ \t]+(?:←|⟵|<-+|//|#)[ \t].*\Z")
_SEVERAL = re.compile(r"[ \t]{2,}(?:\d{1,6}[:.)]?[ \t]+)?(?=-[AI] [A-Z])")
_MOST_LINES = 12
_LONGEST = 4096


def repaired(text: str, reads: Callable[[str], bool]) -> tuple[str, list[str]] | None:
    """A rule as it was meant, and what was done to it; None for a text that is none, or that needs no repair."""
    notes: list[str] = []
    straight = safe_normalisation(text)
    if straight is not None:
        text, note = straight
        notes.append(note)
    if reads(text):
        return (text, notes) if notes else None
    for slip, right, note in _SLIPS:
        mended = slip.sub(right, text, count=1)
        if mended != text:
            text = mended
            notes.append(note)
            if reads(text):
                return text, notes
    return None


def hanging(lines: Sequence[str], place: int) -> tuple[str, int]:
    """A rule with the options that stand below it, further in, without what is said beside them; and how many lines
    these are.
    """
    parts = list(_hanging(lines, place))
    return " ".join(_BESIDE.sub("", part).rstrip(" \t") for part in parts), len(parts) - 1


def _hanging(lines: Sequence[str], place: int) -> Iterator[str]:
    first = lines[place].lstrip(" \t")
    yield first
    for line in lines[place + 1 : place + _MOST_LINES]:
        bare = line.lstrip(" \t")
        deeper = len(line) - len(bare) > len(lines[place]) - len(first)
        if not deeper or not bare.startswith(("-", "! ")) or bare.startswith(("-A ", "-I ")):
            return
        yield bare


def several(line: str) -> list[str]:
    """The rules that a window's padding put on one line; else the line alone."""
    return _SEVERAL.split(line) if len(line) <= _LONGEST else [line]
