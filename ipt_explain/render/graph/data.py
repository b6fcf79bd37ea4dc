"""The chain graph for programs: GraphML, and JSON that NetworkX reads (schema ipt-explain/graph/1).

    {"schema": "ipt-explain/graph/1", "directed": true, "multigraph": true, "graph": {},
     "nodes": [{"id": "nat/KUBE-SERVICES", "table": "nat", "chain": "KUBE-SERVICES",
                "kind": "built-in"|"chain"|"missing"|"unknown", "owner": "kube-proxy"|null, "purpose": "…"|null,
                "rules": 12, "ends": "DNAT 10.244.1.9:8080; …", "line": 5|null, "service": "shop/cart:http"|null,
                "unmatched": 0.25|null, "faults": "IPT202 traffic-leaks; …"}],
     "edges": [{"source": "nat/PREROUTING", "target": "nat/KUBE-SERVICES", "key": 41, "line": 41|null, "rule": "-A …",
                "label": "…", "goto": false, "share": 0.5|null, "faulty": false}]}

`key` is the rule's line, or a number in nftables: every jump between the same two chains is an edge, in rule order. In
nftables an element of a map that leads to a chain is an edge, too, from the chain that uses the map; `line` is null if
the input was JSON. Keys are stable: some may be added, none renamed or dropped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ipt_explain.graph.export import graphml_lines
from ipt_explain.render.graph.drawing import Drawing, DrawnChain, DrawnJump
from ipt_explain.render.text.safe import escape

SCHEMA = "ipt-explain/graph/1"


def graph_json(drawing: Drawing) -> Iterator[str]:
    """The JSON text, in lines: one per chain and per jump."""
    yield f'{{"schema": "{SCHEMA}", "directed": true, "multigraph": true, "graph": {{}},\n "nodes": ['
    yield from _list({"id": chain.id, **_chain(chain)} for chain in drawing.chains)
    yield '],\n "edges": ['
    yield from _list(
        {"source": jump.source, "target": jump.target, "key": jump.key, **_jump(jump)} for jump in drawing.jumps
    )
    yield "]}\n"


def _list(objects: Iterable[dict[str, Any]]) -> Iterator[str]:
    for number, one in enumerate(objects):
        yield f"{',' if number else ''}\n  {json.dumps(one)}"


def graphml(drawing: Drawing) -> Iterable[str]:
    """The GraphML text, in lines."""
    return graphml_lines(
        ((chain.id, _chain(chain)) for chain in drawing.chains),
        ((jump.source, jump.target, jump.key, _jump(jump)) for jump in drawing.jumps),
    )


def _chain(chain: DrawnChain) -> dict[str, Any]:
    return {
        "table": chain.group,
        "chain": chain.name,
        "kind": chain.kind,
        "owner": chain.owner,
        "purpose": chain.purpose,
        "rules": chain.rules,
        "ends": "; ".join(chain.ends),
        "line": chain.line,
        "service": None if chain.note is None else chain.note.service,
        "unmatched": chain.unmatched,
        "faults": "; ".join(chain.faults),
    }


def _jump(jump: DrawnJump) -> dict[str, Any]:
    return {
        "line": jump.line,
        "rule": escape(jump.jump.rule.text),
        "label": jump.label,
        "goto": jump.goto,
        "share": jump.share,
        "faulty": jump.faulty,
    }
