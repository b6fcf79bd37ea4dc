"""The chain graph for programs: GraphML, and JSON that NetworkX reads (schema ipt-explain/graph/1).

    {"schema": "ipt-explain/graph/1", "directed": true, "multigraph": true, "graph": {},
     "nodes": [{"id": "nat/KUBE-SERVICES", "table": "nat", "chain": "KUBE-SERVICES",
                "kind": "built-in"|"chain"|"missing", "owner": "kube-proxy"|null, "purpose": "…"|null, "rules": 12,
                "ends": "DNAT 10.244.1.9:8080; …", "line": 5|null}],
     "edges": [{"source": "nat/PREROUTING", "target": "nat/KUBE-SERVICES", "key": 41, "line": 41, "rule": "-A …",
                "label": "…", "goto": false, "share": 0.5|null}]}

`key` is the rule's line: jumps between the same two chains are edges of their own, in rule order. Keys are a promise:
some may be added, none renamed or dropped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ipt_explain.graph.export import graphml_lines, multigraph, node_link
from ipt_explain.render.graph_drawing import Drawing

if TYPE_CHECKING:
    import networkx as nx

SCHEMA = "ipt-explain/graph/1"


def graph_json(drawing: Drawing) -> Iterable[str]:
    """The JSON text, in pieces."""
    document = {"schema": SCHEMA, **node_link(_networkx(drawing))}
    yield from json.JSONEncoder(indent=1).iterencode(document)
    yield "\n"


def graphml(drawing: Drawing) -> Iterable[str]:
    """The GraphML text, in lines."""
    return graphml_lines(_networkx(drawing))


def _networkx(drawing: Drawing) -> nx.MultiDiGraph[str]:
    return multigraph(
        (
            (
                chain.id,
                {
                    "table": chain.group,
                    "chain": chain.name,
                    "kind": chain.kind,
                    "owner": chain.owner,
                    "purpose": chain.purpose,
                    "rules": chain.rules,
                    "ends": "; ".join(chain.ends),
                    "line": chain.line,
                },
            )
            for chain in drawing.chains
        ),
        (
            (
                jump.source,
                jump.target,
                jump.line,
                {
                    "line": jump.line,
                    "rule": jump.rule,
                    "label": jump.label,
                    "goto": jump.goto,
                    "share": jump.share,
                },
            )
            for jump in drawing.jumps
        ),
    )
