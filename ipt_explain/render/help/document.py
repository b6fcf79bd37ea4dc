"""A parser for the subset of Markdown in help texts.

It has `# title` on the first line, `## heading`, paragraphs and `- items` of one line each, and literal text indented
by four blanks. Inline: `code` and *emphasis*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipt_explain.enums import Enum
from ipt_explain.records import Record

_INLINE = re.compile(r"`([^`]+)`|(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])")


class BlockKind(Enum):
    """Kinds of blocks."""

    TITLE = "title"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    LITERAL = "literal"


class Block(Record):
    """A block and its text; a LITERAL has several lines, without the four blanks."""

    kind: BlockKind
    text: str


class SpanKind(Enum):
    """Kinds of spans."""

    PLAIN = "plain"
    CODE = "code"
    EMPHASIS = "emphasis"


class Span(Record):
    """A piece of a line."""

    kind: SpanKind
    text: str


def help_blocks(text: str) -> list[Block]:
    """The blocks of a help text, in order."""
    found: list[Block] = []
    literal: list[str] = []
    for line in [*text.splitlines(), "#"]:
        if line.startswith("    ") or (literal and not line):
            literal.append(line[4:])
            continue
        if literal:
            found.append(Block(BlockKind.LITERAL, "\n".join(literal).rstrip("\n")))
            literal = []
        if line not in ("", "#"):
            found.append(_block(line))
    return found


def _block(line: str) -> Block:
    for prefix, kind in (("# ", BlockKind.TITLE), ("## ", BlockKind.HEADING), ("- ", BlockKind.ITEM)):
        if line.startswith(prefix):
            return Block(kind, line.removeprefix(prefix))
    return Block(BlockKind.PARAGRAPH, line)


def spans(text: str) -> Iterator[Span]:
    """The pieces of a line."""
    end = 0
    for found in _INLINE.finditer(text):
        if found.start() > end:
            yield Span(SpanKind.PLAIN, text[end : found.start()])
        yield Span(SpanKind.CODE, found[1]) if found[1] is not None else Span(SpanKind.EMPHASIS, found[2])
        end = found.end()
    if end < len(text):
        yield Span(SpanKind.PLAIN, text[end:])
