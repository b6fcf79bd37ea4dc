"""Reachability in a graph of chains."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def reached_from(starts: Iterable[str], onward: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """Every chain that can be reached from `starts`, including these, if each chain leads `onward` to others."""
    reached = set(starts)
    pending = list(reached)
    while pending:
        found = set(onward(pending.pop())) - reached
        reached |= found
        pending += found
    return frozenset(reached)
