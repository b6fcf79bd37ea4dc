"""Repairing what people and pages omit from a rule or add to it, if that yields a valid rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ipt_explain.parsing.iptables.diagnosis import safe_normalisation
from ipt_explain.patterns import lazy_pattern

_SLIPS = (
    (re.compile(r" (?<!-m comment )--comment "), " -m comment --comment ", "`-m comment` was left out"),
    (re.compile(r" -- ?([a-z]+)(?: (-[a-z]+))?(?= )"), r" --\1\2", "spaces inside an option were ignored"),
    (re.compile(r"\A(-A KUBE-[A-Z]{2,3}-[A-Z0-9]{16})(?=-)"), r"\1 ", "the space after a chain's name was missing"),
    (re.compile(r"(?<=[A-Z]-) {2,}(?=[A-Z0-9-]+\Z)"), "", "spaces inside a name were ignored"),
    (
        re.compile(r" (?:\.{3,}|…|\[(?:\.{3}|…)\])(?= )"),
        " -m ...",
        "part of a rule was left out (`...`), so it is unknown which packets the rule matches",
    ),
)
_BESIDE = re.compile(r"(?<![ \t])[ \t]+(?:←|⟵|<-+|//|#)[ \t].*\Z")
_REMARK = lazy_pattern(r"(?<=[^ \t\"])(?:[ \t]{1,80}(?:[←⟵→#(]|<[-=]|[-=]{1,3}>|//|/\*)|#[ \t])|\"")
_COMMENT = lazy_pattern(r"[ \t]+/\*[ \t]*([^\"*]{1,256}?)[ \t]*\*/[ \t]*\Z")
_MARKED = lazy_pattern(r"[ \t](?:[←⟵→#(]|<[-=]|[-=]{1,3}>|//|/\*|\.{3}|…)|#[ \t]")
_TARGET = lazy_pattern(r" (?:-[jg]|--jump|--goto) ")
_SEVERAL = re.compile(r"(?<![ \t])[ \t]{2,}(?:\d{1,6}[:.)]?[ \t]+)?(?=-[AI] [A-Z])")
_MOST_LINES = 12
_LONGEST = 4096


def repaired(text: str, reads: Callable[[str], bool]) -> tuple[str, list[str]] | None:
    """The repaired rule, and what was done to it; None for a text that is not a rule, or needs no repair."""
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
    for bare, note in _without_remark(text) if len(text) <= _LONGEST else ():
        if reads(bare):
            return bare, [*notes, note]
    return None


def may_have_remark(line: str) -> bool:
    """Whether something may follow a rule on its line, or be left out of it."""
    return _MARKED.search(line) is not None


def _without_remark(text: str) -> Iterator[tuple[str, str]]:
    """A rule without what someone wrote after it, or with that as its comment, as a listing shows comments."""
    quotes = 0
    for found in _REMARK.finditer(text):
        if found[0] == '"':
            quotes += 1
        elif quotes % 2 == 0:
            break
    else:
        return
    bare, rest = text[: found.start()], text[found.start() :]
    if not _TARGET.search(bare):
        return
    comment = _COMMENT.match(rest)
    if comment is not None and "--comment" not in bare:
        yield f'{bare} -m comment --comment "{comment[1]}"', "`/* … */` after a rule was read as its comment"
    yield bare, "a remark after the rule was ignored"


def hanging(lines: Sequence[str], place: int) -> tuple[str, int]:
    """A rule joined with the indented options below it, without remarks next to them; and the number of lines."""
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


def rules_on_line(line: str) -> list[str]:
    """The rules that a window's padding put on one line; otherwise only the line."""
    return _SEVERAL.split(line) if len(line) <= _LONGEST else [line]
