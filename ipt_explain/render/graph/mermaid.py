"""The chain graph for Mermaid, which Markdown pages draw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from ipt_explain.render.graph.drawing import (
    BUILT_IN,
    MISSING,
    UNKNOWN,
    Drawing,
    DrawnChain,
    labels,
    parallel,
    shortened,
)

# What Mermaid draws unless told otherwise (its setting maxEdges).
MOST_EDGES = 500

# All that could end a quoted text, start a comment or a directive, or be read as Markdown, HTML or an escape.
_SPECIAL = re.compile(r"[\"#&<>`\\;{}|]|%(?=%)|(?<=%)%")


def mermaid(drawing: Drawing) -> Iterator[str]:
    """The text, in lines: one subgraph per table."""
    ids: dict[str, str] = {}
    yield "flowchart LR\n"
    for number, (group, chains) in enumerate(groupby(drawing.chains, key=lambda chain: chain.group)):
        yield f"  subgraph t{number}[{_text([group])}]\n"
        for chain in chains:
            ids[chain.id] = f"c{len(ids)}"
            yield f"    {ids[chain.id]}[{_text(_lines(chain))}]{_CLASSES.get(chain.kind, '')}\n"
        yield "  end\n"
    for (source, target, goto), jumps in parallel(drawing.jumps).items():
        said = labels(jumps)
        arrow = "-.->" if goto else "-->"
        yield f"  {ids[source]} {arrow}{f'|{_text(said)}|' if said else ''} {ids[target]}\n"
    yield "  classDef builtin fill:#dbe9f6,stroke-width:2px\n"
    yield "  classDef missing stroke:#b03030,stroke-dasharray:4\n"
    yield "  classDef unknown stroke-dasharray:4\n"


_CLASSES = {BUILT_IN: ":::builtin", MISSING: ":::missing", UNKNOWN: ":::unknown"}


def _lines(chain: DrawnChain) -> list[str]:
    return [shortened(chain.name), *chain.ends]


def _text(lines: list[str]) -> str:
    """A quoted text; special characters by their number, as Mermaid has it (`#35;` is #)."""
    return '"' + "<br/>".join(_SPECIAL.sub(lambda found: f"#{ord(found[0])};", line) for line in lines) + '"'
