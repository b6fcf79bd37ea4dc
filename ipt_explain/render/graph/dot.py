"""The chain graph for Graphviz."""

from __future__ import annotations

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

_STYLES = {
    BUILT_IN: ', style="filled,bold", fillcolor="#dbe9f6"',
    MISSING: ', style="rounded,dashed", color="#b03030"',
    UNKNOWN: ', style="rounded,dashed"',
}


def dot(drawing: Drawing) -> Iterator[str]:
    """The text, in lines: one cluster per table."""
    yield 'digraph "ipt-explain" {\n'
    yield "  rankdir=LR;\n"
    yield '  node [shape=box, style="rounded", fontname="Helvetica", fontsize=11];\n'
    yield '  edge [fontname="Helvetica", fontsize=9];\n'
    for number, (group, chains) in enumerate(groupby(drawing.chains, key=lambda chain: chain.group)):
        yield f"  subgraph cluster_{number} {{\n"
        yield f"    label={_label([group])};\n"
        for chain in chains:
            yield f"    {_id(chain.id)} [label={_label(_lines(chain))}{_STYLES.get(chain.kind, '')}];\n"
        yield "  }\n"
    for (source, target, goto), jumps in parallel(drawing.jumps).items():
        said = labels(jumps)
        attributes = [f"label={_label(said)}"] if said else []
        attributes += ["style=dashed"] if goto else []
        suffix = f" [{', '.join(attributes)}]" if attributes else ""
        yield f"  {_id(source)} -> {_id(target)}{suffix};\n"
    yield "}\n"


def _lines(chain: DrawnChain) -> list[str]:
    return [shortened(chain.name), *chain.ends]


def _id(text: str) -> str:
    """A quoted ID. Graphviz keeps backslashes in IDs as they are, but needs them in pairs before a quote."""
    return _quoted(text)


def _label(lines: list[str]) -> str:
    """A quoted label. Graphviz reads backslash escapes and HTML entities in labels, so both are escaped."""
    return '"' + "\\n".join(_quoted(line.replace("&", "&amp;"))[1:-1] for line in lines) + '"'


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
