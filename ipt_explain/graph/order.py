"""Callees before callers: the order in which chains can be understood one after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def callees_first(chains: Iterable[str], targets: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """`chains` in an order where a chain comes after all that it jumps to, and the chains that have no such place.

    The second list holds the chains that lead into a cycle, in the order given; it is empty for every ruleset that a
    kernel holds. Takes whole chains off from the leaves (Kahn), so depth and shape of the graph do not matter.
    """
    names = list(chains)
    known = set(names)
    callers: dict[str, list[str]] = {}
    waiting: dict[str, int] = {}
    ready: list[str] = []
    for name in names:
        count = 0
        for target in targets.get(name, ()):
            if target in known:
                count += 1
                callers.setdefault(target, []).append(name)
        if count:
            waiting[name] = count
        else:
            ready.append(name)
    for name in ready:  # grows while it is walked
        for caller in callers.get(name, ()):
            waiting[caller] -= 1
            if not waiting[caller]:
                del waiting[caller]
                ready.append(caller)
    return ready, [name for name in names if name in waiting]


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
