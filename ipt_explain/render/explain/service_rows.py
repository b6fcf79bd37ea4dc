"""Shared parts of the rows of a service's tree."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.records import dataclass
from ipt_explain.render.text.outline import Node, Span
from ipt_explain.services.health import Health

LABEL_WIDTH = 14


@dataclass(frozen=True, slots=True)
class View:
    """How to show services. `fragment`: what is absent is unknown. `chains`: there is room for endpoints' chains.
    `above`: the node's health, if it is printed above them.
    """

    fragment: bool
    chains: bool
    above: Health | None = None


def row(label: str, words: Sequence[Span], tail: str = "", children: Sequence[Node] = ()) -> Node:
    """A row: its label in a column of its own, then the words."""
    return Node([(label.ljust(LABEL_WIDTH), "label"), *words], tail, LABEL_WIDTH, list(children))
