"""Reachability in a graph of chains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def walk(starts: Iterable[str], targets: Mapping[str, Sequence[str]]) -> set[str]:
    """Every chain that can be reached from `starts`, including these."""
    reached = set(starts)
    pending = list(reached)
    while pending:
        for target in targets.get(pending.pop(), ()):
            if target not in reached:
                reached.add(target)
                pending.append(target)
    return reached
