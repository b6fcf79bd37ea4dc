"""What a chain consists of in `show`, in any backend: entries with a label, and numbered rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipt_explain.render.text.listing import Entry, list_text
from ipt_explain.render.text.outline import TreeNode, sentence
from ipt_explain.render.text.safe import escape
from ipt_explain.words import counted
from ipt_explain.words.quotes import clipped

SHOWN_CALLERS = 8

# Longer lines are hard to read.
WIDEST = 120

# The column at which the values of a chain's entries begin.
_LABEL = 11


def entry(label: str, text: str, tail: str = "", style: str = "") -> TreeNode:
    """A label and its text."""
    return TreeNode([(label.ljust(_LABEL), "guide"), *sentence(escape(clipped(text)), style)], tail, _LABEL)


def users(label: str, shown: Iterable[tuple[str, str]], count: int, noun: str) -> Iterator[TreeNode]:
    """What uses a chain or set: texts with their tails, and how many of all `count` are not shown."""
    for text, tail in shown:
        yield entry(label, text, tail)
    if count > SHOWN_CALLERS:
        yield entry(label, f"{counted(count - SHOWN_CALLERS, noun)}, which -o json lists")


def rule_count(count: int | None, built_in: bool, fragment: bool) -> TreeNode:
    """How many rules a chain has; None for a chain that the text, which may be a fragment, does not have."""
    if count is None:
        return entry("rules", "not in this input" if fragment else "this chain does not exist", style="unknown")
    if not count:
        return entry("rules", "none" if built_in else "none: packets come back at once")
    return entry("rules", f"{count:,}")


def rule_entry(number: int, text: str, notes: Iterable[str], tail: str) -> Entry:
    """A rule of a chain: its sentence, and notes after it."""
    prose = [(escape(clipped(text)), "")]
    for note in notes:
        prose.append((f" {escape(note)}", "chain"))
    return f"{number}", prose, tail


def chain_text(root: TreeNode, rules: Iterable[Entry], count: int, width: int, color: bool) -> Iterator[str]:
    """A chain as text, with its rules below the last entry."""
    return list_text(root, rules, len(f"{count}") + 2, min(width, WIDEST), color)
