from __future__ import annotations

import networkx as nx

from tests.graph.tables import nat


def test_networkx_agrees_about_reach_and_cycles() -> None:
    table = nat("-A A -j B", "-A B -j A", "-A C -j C", "-A D -j A")
    names = table.table.chains
    graph = nx.DiGraph([(name, jump.target) for name in names for jump in table.jumps(name)])
    assert nx.descendants(graph, "D") | {"D"} == table.reachable_from("D")
    groups = [set(group) for group in nx.strongly_connected_components(graph)]
    assert all(set(cycle.chains) in groups for cycle in table.cycles)
    assert sum(len(group) > 1 for group in groups) == 1
