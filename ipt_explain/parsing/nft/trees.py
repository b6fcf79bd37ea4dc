"""Parse trees as plain tuples, which can be shipped and need no Lark to be read."""

from __future__ import annotations

from typing import TypeAlias

from ipt_explain.records import Record

Node: TypeAlias = str | tuple[int, str] | tuple[str, tuple["Node", ...]]
"""A word of the form itself; the number and terminal of a value, which varies between lines of a form; or a phrase of
the grammar and its parts."""


class Parsed(Record):
    """A parsed text: its tree, and the terminal, start and end of each of its values, in the order of the text."""

    node: Node
    values: tuple[tuple[str, int, int], ...]


Form: TypeAlias = tuple[tuple[str, ...], tuple[str, ...], Node]
"""What lines or elements of one form have in common: the text around their values, the terminals of these, the tree."""
