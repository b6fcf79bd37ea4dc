"""Cycles of chains that call each other. No kernel accepts one that a hook reaches, but input may have one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ipt_explain.graph.jumps import JumpIndex
from ipt_explain.records import Record

if TYPE_CHECKING:
    import networkx as nx


class Cycle(Record):
    """One group of chains that all lead to each other.

    `path` is one cycle in the group (the last chain jumps to the first); `chains` are all of the group, in the order of
    the text. `reachable` says whether a hook leads there, which iptables-restore of both backends refuses.
    """

    path: tuple[str, ...]
    chains: tuple[str, ...]
    reachable: bool


def leading_into_cycles(chains: Iterable[str], jumps: JumpIndex) -> list[str]:
    """The chains that lead into a cycle, in the given order. A ruleset from a kernel has none.

    It removes chains from the leaves up (Kahn), so depth and shape of the graph do not matter.
    """
    open_jumps = dict.fromkeys(chains, 0)
    for name, numbers in jumps.leaving.items():
        open_jumps[name] = len(numbers)
    for target, places in jumps.entering.items():
        if target not in open_jumps:  # dangling: nothing to wait for
            for chain, _ in places:
                open_jumps[chain.name] -= 1
    done = [name for name, count in open_jumps.items() if not count]
    for name in done:  # grows during the loop
        for chain, _ in jumps.entering.get(name, ()):
            open_jumps[chain.name] -= 1
            if not open_jumps[chain.name]:
                done.append(chain.name)
    return [name for name, count in open_jumps.items() if count]


def groups_of(core: Sequence[str], targets: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The groups that form cycles, among chains that lead into one."""
    import networkx as nx

    place = {name: number for number, name in enumerate(core)}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_edges_from((name, target) for name in core for target in targets.get(name, ()) if target in place)
    groups = [
        sorted(component, key=place.__getitem__)
        for component in nx.strongly_connected_components(graph)
        if len(component) > 1 or any(graph.has_edge(name, name) for name in component)
    ]
    return sorted(groups, key=lambda members: place[members[0]])


def circle(members: Sequence[str], targets: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """One cycle within a group: follow each chain's first jump that stays in the group until a chain repeats."""
    inside = set(members)
    seen: dict[str, int] = {}
    path: list[str] = []
    name = members[0]
    while name not in seen:
        seen[name] = len(path)
        path.append(name)
        name = next(target for target in targets[name] if target in inside)
    return tuple(path[seen[name]:])
