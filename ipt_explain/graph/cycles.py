"""Chains that call each other in circles. No kernel takes a circle that a hook reaches; written input may hold one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ipt_explain.records import dataclass

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True)
class Cycle:
    """One group of chains that all lead to each other.

    `path` walks one circle of the group (the last chain jumps to the first); `chains` are all of the group, in the
    order of the text. `reachable` tells whether a hook leads there: iptables-restore of both backends refuses that.
    """

    path: tuple[str, ...]
    chains: tuple[str, ...]
    reachable: bool


def order_of_core(core: Sequence[str], targets: Mapping[str, Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """The chains that lead into cycles, callees first as far as that goes, and the groups that form cycles.

    Inside a group the order of the text decides, which is where the cycle is cut.
    """
    import networkx as nx

    place = {name: number for number, name in enumerate(core)}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(core)
    graph.add_edges_from((name, target) for name in core for target in targets.get(name, ()) if target in place)
    order: list[str] = []
    groups: list[list[str]] = []
    for component in nx.strongly_connected_components(graph):  # Tarjan: a component comes after those it leads to
        members = sorted(component, key=place.__getitem__)
        order.extend(members)
        if len(members) > 1 or graph.has_edge(members[0], members[0]):
            groups.append(members)
    groups.sort(key=lambda members: place[members[0]])
    return order, groups


def circle(members: Sequence[str], targets: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """One closed walk within a group: follow each chain's first jump that stays inside until a chain comes again."""
    inside = set(members)
    seen: dict[str, int] = {}
    path: list[str] = []
    name = members[0]
    while name not in seen:
        seen[name] = len(path)
        path.append(name)
        name = next(target for target in targets[name] if target in inside)
    return tuple(path[seen[name]:])
