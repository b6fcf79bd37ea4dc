"""GraphML is what NetworkX would write of the same graph."""

from __future__ import annotations

import networkx as nx

from ipt_explain.graph.export import Attributes, Edge, Vertex, graphml_lines

NODES: list[Vertex] = [
    ("nat/A", {"rules": 2, "owner": None, "ends": "", "unmatched": None}),
    ('nat/"B" <&>', {"rules": 0, "owner": "é & 'ü' > \"x\"", "ends": "DNAT", "unmatched": 0.25}),
    ("nat/C", {"rules": 1}),
]
EDGES: list[Edge] = [
    ("nat/C", "nat/A", 7, {"line": 7, "goto": False, "share": None}),
    ("nat/A", "nat/C", 3, {"line": 3, "goto": True, "share": 1 / 3}),
    ("nat/A", 'nat/"B" <&>', 4, {"line": 4, "goto": False, "share": 1.0}),
    ("nat/A", "nat/C", 5, {"line": None, "goto": False, "share": None}),
]


def _known(attributes: Attributes) -> dict[str, object]:
    return {name: value for name, value in attributes.items() if value is not None}


def test_it_is_what_networkx_writes() -> None:
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_nodes_from((name, _known(attributes)) for name, attributes in NODES)
    graph.add_edges_from((source, target, key, _known(attributes)) for source, target, key, attributes in EDGES)
    head, *lines = "".join(graphml_lines(NODES, EDGES)).splitlines()
    assert head == '<?xml version="1.0" encoding="UTF-8"?>'
    assert lines == list(nx.generate_graphml(graph))
