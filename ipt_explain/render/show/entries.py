"""What a chain consists of in `show`, in any backend: entries with a label, and numbered rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipt_explain.render.text.listing import Entry, list_text
from ipt_explain.render.text.outline import Node, sentence
from ipt_explain.render.text.safe import escape
from ipt_explain.words.quotes import clipped

SHOWN_CALLERS = 8

# Longer lines are hard to read.
WIDEST = 120

# The column at which the values of a chain's entries begin.
_LABEL = 11


def entry(label: str, text: str, tail: str = "", style: str = "") -> Node:
    """A label and its text."""
    return Node([(label.ljust(_LABEL), "guide"), *sentence(escape(clipped(text)), style)], tail, _LABEL)


def rule_entry(number: int, text: str, notes: Iterable[str], tail: str) -> Entry:
    """A rule of a chain: its sentence, and notes after it."""
    prose = [(escape(clipped(text)), "")]
    for note in notes:
        prose.append((f" {escape(note)}", "chain"))
    return f"{number}", prose, tail


def chain_text(root: Node, rules: Iterable[Entry], count: int, width: int, color: bool) -> Iterator[str]:
    """A chain as text, with its rules below the last entry."""
    return list_text(root, rules, len(f"{count}") + 2, min(width, WIDEST), color)
