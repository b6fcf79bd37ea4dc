"""Callees before callers: the order in which chains can be understood one after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ipt_explain.graph.jumps import JumpIndex


def callees_first(chains: Iterable[str], jumps: JumpIndex) -> tuple[list[str], list[str]]:
    """`chains` in an order where a chain comes after all that it jumps to, and the chains that have no such place.

    The second list holds the chains that lead into a cycle, in the order given; it is empty for every ruleset that a
    kernel holds. Takes whole chains off from the leaves (Kahn), so depth and shape of the graph do not matter.
    """
    names = list(chains)
    open_jumps = dict.fromkeys(names, 0)
    for name, rules in jumps.leaving.items():
        open_jumps[name] = len(rules)
    for target, rules in jumps.entering.items():
        if target not in open_jumps:  # dangling: nothing to wait for
            for rule in rules:
                open_jumps[rule.chain] -= 1
    done = [name for name in names if not open_jumps[name]]
    for name in done:  # grows while it is walked
        for rule in jumps.entering.get(name, ()):
            caller = rule.chain
            open_jumps[caller] -= 1
            if not open_jumps[caller]:
                done.append(caller)
    return done, [name for name in names if open_jumps[name]]


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
