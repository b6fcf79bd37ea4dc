from __future__ import annotations

import networkx as nx

from tests.graph.tables import nat

TABLE = nat(
    "-A PREROUTING -j SVC",
    "-A SVC -m statistic --mode random --probability 0.50000000000 -j SEP",
    "-A SVC -j SEP",
    "-A SEP -g GONE",
)


def test_networkx_gets_a_multigraph_with_rules_on_its_edges() -> None:
    graph = TABLE.networkx()
    assert graph.number_of_edges("SVC", "SEP") == 2
    assert graph.edges["SVC", "SEP", 10]["rule"] == "-A SVC -j SEP"
    assert graph.edges["SEP", "GONE", 11]["goto"]
    assert graph.nodes["GONE"] == {"declared": False, "rules": 0}
    assert nx.descendants(graph, "PREROUTING") == TABLE.reachable_from("PREROUTING") - {"PREROUTING"}


def test_labels_are_the_callers_choice() -> None:
    graph = TABLE.networkx(label=lambda rule: f"line {rule.line}")
    assert graph.edges["PREROUTING", "SVC", 8]["label"] == "line 8"


def test_both_agree_about_cycles() -> None:
    table = nat("-A A -j B", "-A B -j A", "-A C -j C", "-A D -j A")
    groups = [set(group) for group in nx.strongly_connected_components(table.networkx())]
    for cycle in table.cycles:
        assert set(cycle.chains) in groups
    assert sum(len(group) > 1 for group in groups) == 1
