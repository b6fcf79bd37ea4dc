"""The chain graph for Mermaid, which Markdown pages draw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from ipt_explain.render.graph.drawing import LEAK, Drawing, Look, labels, leak_label, look_of

# The most that Mermaid draws by default (its setting maxEdges).
MOST_EDGES = 500

# Characters that could end a quoted text, start a comment or directive, or be read as Markdown, HTML or an escape.
_SPECIAL = re.compile(r"[\"#&<>`\\;{}|]|%(?=%)|(?<=%)%")

_CLASSES = {
    Look.FAULT: ("fault", "fill:#fde7e7,stroke:#b03030,stroke-width:2px"),
    Look.BUILT_IN: ("builtin", "fill:#dbe9f6,stroke-width:2px"),
    Look.SERVICE: ("service", "fill:#e3f1e1"),
    Look.ENDPOINT: ("endpoint", "fill:#fff4d6"),
    Look.MISSING: ("missing", "stroke:#b03030,stroke-dasharray:4"),
    Look.UNKNOWN: ("unknown", "stroke-dasharray:4"),
}
_FAULTY_ARROW = "stroke:#b03030,stroke-width:2px,color:#b03030"


def mermaid(drawing: Drawing) -> Iterator[str]:
    """The text, in lines: one subgraph per table, and a legend."""
    ids: dict[str, str] = {}
    arrows: list[str] = []
    faulty: list[int] = []
    yield "flowchart LR\n"
    for number, (group, members) in enumerate(groupby(drawing.chains, key=lambda chain: chain.group)):
        yield f"  subgraph t{number}[{_text([group])}]\n"
        leaking = []
        for chain in members:
            ids[chain.id] = f"c{len(ids)}"
            yield f"    {ids[chain.id]}[{_text(chain.lines)}]{_class(look_of(chain))}\n"
            leaking += [chain] if chain.leaks else []
        if leaking:
            yield f"    leak{number}([{_text([LEAK])}]):::missing\n"
        yield "  end\n"
        for chain in leaking:
            faulty.append(len(arrows))
            arrows.append(f"  {ids[chain.id]} -->|{_text([leak_label(chain)])}| leak{number}\n")
    for (source, target, goto, is_faulty), jumps in drawing.arrows.items():
        words = labels(jumps)
        faulty += [len(arrows)] if is_faulty else []
        arrow = "-.->" if goto else "-->"
        arrows.append(f"  {ids[source]} {arrow}{f'|{_text(words)}|' if words else ''} {ids[target]}\n")
    yield from arrows
    yield from _legend(drawing)
    for name, style in _CLASSES.values():
        yield f"  classDef {name} {style}\n"
    if faulty:
        yield f"  linkStyle {','.join(map(str, faulty))} {_FAULTY_ARROW}\n"


def _class(look: Look) -> str:
    return f":::{_CLASSES[look][0]}" if look in _CLASSES else ""


def _legend(drawing: Drawing) -> Iterator[str]:
    shown = [look for look in drawing.looks if look in _CLASSES]
    if shown:
        yield '  subgraph legend["Legend"]\n'
        for number, look in enumerate(shown):
            yield f"    l{number}[{_text([look.value])}]{_class(look)}\n"
        yield "  end\n"


def _text(lines: list[str]) -> str:
    """A quoted text, with special characters as Mermaid's numeric escapes (`#35;` is #)."""
    return '"' + "<br/>".join(_SPECIAL.sub(lambda found: f"#{ord(found[0])};", line) for line in lines) + '"'
