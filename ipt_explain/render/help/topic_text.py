"""A help topic on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from ipt_explain.render.help.document import Block, BlockKind, SpanKind, help_blocks, spans
from ipt_explain.render.text.paint import Paint, painter
from ipt_explain.render.text.prose import prose_lines

# Prose is easiest to read in lines of this length, however wide the terminal is.
LONGEST_LINE = 88
INDENT = "    "

_STYLES = {SpanKind.CODE: "cyan", SpanKind.EMPHASIS: "italic"}


def topic_lines(text: str, width: int, color: bool) -> Iterator[str]:
    """A help text in lines of at most `width` columns, including line feeds; literal lines are unchanged."""
    paint = painter(color)
    width = min(width, LONGEST_LINE)
    before: Block | None = None
    for block in help_blocks(text):
        if before is not None and not (block.kind is before.kind is BlockKind.ITEM):
            yield "\n"
        for line in _lines(block, width, paint):
            yield f"{line}\n"
        before = block


def _lines(block: Block, width: int, paint: Paint) -> Iterator[str]:
    if block.kind in (BlockKind.TITLE, BlockKind.HEADING):
        yield from (paint(line, "bold") for line in textwrap.wrap(block.text, width))
    elif block.kind is BlockKind.LITERAL:
        for line in block.text.split("\n"):
            whole = textwrap.wrap(INDENT + line, width, drop_whitespace=False, break_on_hyphens=False)
            yield from whole if line else [""]
    else:
        prefix, hang = ("- ", "  ") if block.kind is BlockKind.ITEM else ("", "")
        yield from _painted(prose_lines(prefix + block.text, width, hang), paint)


def _painted(lines: list[str], paint: Paint) -> Iterator[str]:
    """Wrapped lines with coloured spans. A span across a line break is coloured on both lines."""
    if paint("x", "bold") == "x":
        yield from lines
        return
    pieces: list[str] = []
    for span in spans("\n".join(lines)):
        style = _STYLES.get(span.kind)
        parts = span.text.split("\n")
        pieces.append("\n".join(paint(part, style) if style and part else part for part in parts))
    yield from "".join(pieces).split("\n")
