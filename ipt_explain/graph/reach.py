"""Which chains others lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def walk(starts: Iterable[str], targets: Mapping[str, Sequence[str]]) -> set[str]:
    """Every chain that can be reached from `starts`, themselves included."""
    reached = set(starts)
    pending = list(reached)
    while pending:
        for target in targets.get(pending.pop(), ()):
            if target not in reached:
                reached.add(target)
                pending.append(target)
    return reached
