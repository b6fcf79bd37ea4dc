"""The chain graph for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from ipt_explain.render.graph.drawing import LEAK, Drawing, Look, labels, leak_label, look_of
from ipt_explain.words.quotes import in_quotes

_FAULT, _FAULT_FILL = "#b03030", "#fde7e7"
_FILLS = {
    Look.FAULT: _FAULT_FILL,
    Look.BUILT_IN: "#dbe9f6",
    Look.SERVICE: "#e3f1e1",
    Look.ENDPOINT: "#fff4d6",
    Look.MISSING: "white",
    Look.UNKNOWN: "white",
    Look.PLAIN: "white",
}
_STYLES = {
    Look.FAULT: f', style="filled,rounded,bold", color="{_FAULT}", fillcolor="{_FAULT_FILL}"',
    Look.BUILT_IN: f', style="filled,bold", fillcolor="{_FILLS[Look.BUILT_IN]}"',
    Look.SERVICE: f', style="filled,rounded", fillcolor="{_FILLS[Look.SERVICE]}"',
    Look.ENDPOINT: f', style="filled,rounded", fillcolor="{_FILLS[Look.ENDPOINT]}"',
    Look.MISSING: f', style="rounded,dashed", color="{_FAULT}"',
    Look.UNKNOWN: ', style="rounded,dashed"',
}
_RED = f'color="{_FAULT}", fontcolor="{_FAULT}"'


def dot(drawing: Drawing) -> Iterator[str]:
    """The text, in lines: one cluster per table, a box for leaks, and a legend below."""
    yield 'digraph "ipt-explain" {\n'
    yield "  rankdir=LR;\n"
    yield '  fontname="Helvetica";\n'
    yield '  node [shape=box, style="rounded", fontname="Helvetica", fontsize=11];\n'
    yield '  edge [fontname="Helvetica", fontsize=9];\n'
    for number, (group, members) in enumerate(groupby(drawing.chains, key=lambda chain: chain.group)):
        chains = list(members)
        yield f"  subgraph cluster_{number} {{\n"
        yield f"    label={_label([group])};\n"
        for chain in chains:
            yield f"    {_id(chain.id)} [label={_label(chain.lines)}{_STYLES.get(look_of(chain), '')}];\n"
        if any(chain.leaks for chain in chains):
            yield f"    {_id(f'{group} leak')} [label={_label([LEAK])}, shape=ellipse, style=dashed, {_RED}];\n"
        yield "  }\n"
        for chain in chains:
            if chain.leaks:
                words = _label([leak_label(chain)])
                yield f"  {_id(chain.id)} -> {_id(f'{group} leak')} [label={words}, style=bold, {_RED}];\n"
    for (source, target, goto, faulty), jumps in drawing.arrows.items():
        said_lines = labels(jumps)
        attributes = [f"label={_label(said_lines)}"] if said_lines else []
        attributes += ["style=dashed"] if goto else []
        attributes += [_RED] if faulty else []
        suffix = f" [{', '.join(attributes)}]" if attributes else ""
        yield f"  {_id(source)} -> {_id(target)}{suffix};\n"
    yield from _legend(drawing)
    yield "}\n"


def _legend(drawing: Drawing) -> Iterator[str]:
    """A legend of the looks that occur; nothing if none needs explaining."""
    cells = [
        f'<TD BGCOLOR="{_FILLS[look]}"{_BORDERS.get(look, "")}>{look.value}</TD>'
        for look in drawing.looks
        if look is not Look.PLAIN
    ]
    if any(jump.goto for jump in drawing.jumps):
        cells.append('<TD BORDER="0">dashed arrow: goto</TD>')
    if any(jump.faulty for jump in drawing.jumps):
        cells.append(f'<TD BORDER="0"><FONT COLOR="{_FAULT}">red arrow: a faulty rule</FONT></TD>')
    if cells:
        yield "  labelloc=b;\n"
        yield f'  label=<<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="6"><TR>{"".join(cells)}</TR></TABLE>>;\n'


_BORDERS = {
    Look.FAULT: f' COLOR="{_FAULT}"',
    Look.MISSING: f' COLOR="{_FAULT}" STYLE="dashed"',
    Look.UNKNOWN: ' STYLE="dashed"',
}


def _id(text: str) -> str:
    """A quoted ID. Graphviz keeps backslashes in IDs as they are, but needs them in pairs before a quote."""
    return in_quotes(text)


def _label(lines: list[str]) -> str:
    """A quoted label. Graphviz reads backslash escapes and HTML entities in labels, so both are escaped."""
    return in_quotes("\n".join(lines).replace("&", "&amp;")).replace("\n", "\\n")
