"""Graphs for other programs, as GraphML.

NetworkX writes it, too, but from a tree of the whole document: 2.5 GB for a node of 320,000 rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import TypeAlias

Attributes: TypeAlias = Mapping[str, str | int | float | bool | None]
Vertex: TypeAlias = tuple[str, Attributes]
Edge: TypeAlias = tuple[str, str, int, Attributes]
"""Source, target, key, attributes."""

_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_TYPES = {str: "string", int: "long", float: "double", bool: "boolean"}


def graphml_lines(vertices: Iterable[Vertex], edges: Iterable[Edge]) -> Iterator[str]:
    """A directed graph with parallel edges, as ASCII lines of GraphML with their line feeds. Edges are sorted by the
    vertex that they leave, then by their target. Attributes that are None are left out: GraphML has no
    null. Each vertex and edge has others.
    """
    nodes = list(vertices)
    leaving: dict[str, dict[str, list[Edge]]] = {name: {} for name, _ in nodes}
    for edge in edges:
        leaving[edge[0]].setdefault(edge[1], []).append(edge)
    arrows = [edge for targets in leaving.values() for parallel in targets.values() for edge in parallel]
    keys: dict[tuple[str, str, type], str] = {}
    for scope, described in (("node", nodes), ("edge", arrows)):
        for *_, attributes in described:
            for name, value in attributes.items():
                if value is not None:
                    keys.setdefault((scope, name, type(value)), f"d{len(keys)}")
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield (
        f'<graphml xmlns="{_NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xsi:schemaLocation="{_NAMESPACE} {_NAMESPACE}/1.0/graphml.xsd">\n'
    )
    for (scope, name, kind), key in reversed(keys.items()):
        yield f'  <key id="{key}" for="{scope}" attr.name="{name}" attr.type="{_TYPES[kind]}" />\n'
    yield '  <graph edgedefault="directed">\n'
    for vertex, attributes in nodes:
        yield from _element("node", f'id="{_quoted(vertex)}"', attributes, keys)
    for source, target, number, attributes in arrows:
        place = f'source="{_quoted(source)}" target="{_quoted(target)}" id="{number}"'
        yield from _element("edge", place, attributes, keys)
    yield "  </graph>\n</graphml>\n"


def _element(
    scope: str, place: str, attributes: Attributes, keys: Mapping[tuple[str, str, type], str]
) -> Iterator[str]:
    yield f"    <{scope} {place}>\n"
    for name, value in attributes.items():
        if value is not None:
            text = _ascii(escape(str(value), quote=False))
            key = keys[scope, name, type(value)]
            yield f'      <data key="{key}">{text}</data>\n' if text else f'      <data key="{key}" />\n'
    yield f"    </{scope}>\n"


def _quoted(text: str) -> str:
    return _ascii(escape(text, quote=False).replace('"', "&quot;"))


def _ascii(text: str) -> str:
    return text if text.isascii() else text.encode("ascii", "xmlcharrefreplace").decode()
