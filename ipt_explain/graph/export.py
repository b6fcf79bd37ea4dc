"""Graphs for other programs: NetworkX itself, and the formats that it writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import networkx as nx

Attributes: TypeAlias = Mapping[str, str | int | float | bool | None]
Vertex: TypeAlias = tuple[str, Attributes]
Edge: TypeAlias = tuple[str, str, int, Attributes]


def multigraph(vertices: Iterable[Vertex], edges: Iterable[Edge]) -> nx.MultiDiGraph[str]:
    """A directed graph with parallel edges; an edge is (source, target, key, attributes)."""
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_nodes_from((name, dict(attributes)) for name, attributes in vertices)
    for source, target, key, attributes in edges:
        graph.add_edge(source, target, key, **attributes)
    return graph


def graphml_lines(graph: nx.MultiDiGraph[str]) -> Iterable[str]:
    """GraphML as lines with their line feeds. Attributes that are None are left out: GraphML has no null."""
    import networkx as nx

    for _, attributes in graph.nodes(data=True):
        _drop_unknown(attributes)
    for _, _, attributes in graph.edges(data=True):
        _drop_unknown(attributes)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    for line in nx.generate_graphml(graph):
        yield line + "\n"


def _drop_unknown(attributes: dict[str, Any]) -> None:
    for name in [name for name, value in attributes.items() if value is None]:
        del attributes[name]
