"""A tree laid out for a width: guides, columns, hanging indents, line numbers at the right.

Rich's own Tree takes two milliseconds for a service with ten endpoints, and a node may have ten thousand services. So
this module lays out lines as spans of text and style, and rich only colours them for terminals (`terminal`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from ipt_explain.records import Record, field
from ipt_explain.render.text.safe import cells

Span = tuple[str, str]
"""A text, safe to print, and the name of its style ("" for none)."""

Line = list[Span]

_GAP = "  "
TAIL_WIDTH = len("line 320000")

_GUIDE = "guide"
BRANCH, LAST_BRANCH = "├─ ", "└─ "
TRUNK, NO_TRUNK = "│  ", "   "


class TreeNode(Record, frozen=False):
    """One entry of a tree.

    A line may be broken between the spans of `words`, which include their spaces; spaces at the start or end of a line
    vanish. `hang` is the column, after the guides, at which the following lines start.
    """

    words: Sequence[Span]
    tail: str = ""
    hang: int = 0
    children: list[TreeNode] = field(default_factory=list)


def line_tail(line: int | None) -> str:
    """The tail that names a line of the input; "" for none."""
    return "" if line is None else f"line {line}"


def sentence(text: str, style: str = "") -> list[Span]:
    """Split text into words, so that lines can be broken at its spaces."""
    first, *others = text.split(" ")
    return [(first, style), *[(f" {word}", style) for word in others]]


def after_dots(text: str) -> list[Span]:
    """Split ` · nat · IPv4` so that lines break before its dots, not inside its parts."""
    return [(f" · {part}", "") for part in text.removeprefix(" · ").split(" · ")]


def draw(root: TreeNode, width: int) -> Iterator[Line]:
    """The lines of a tree, none wider than `width`; a wider word is broken inside."""
    # Trees are as deep as chains jump, so this does not recurse, nor print a guide for every level.
    room = width // 2 // len(TRUNK) * len(TRUNK)
    children = iter(root.children)
    child = next(children, None)
    yield from laid_out(root, "", TRUNK if child else "", width)
    branches = [(children, child, "")]
    while branches:
        siblings, node, guides = branches.pop()
        while node is not None:
            following = next(siblings, None)
            branch, trunk = (BRANCH, TRUNK) if following else (LAST_BRANCH, NO_TRUNK)
            below = (guides + trunk)[-room:]
            if node.children:
                children = iter(node.children)
                child = next(children, None)
                yield from laid_out(node, guides + branch, below + (TRUNK if child else ""), width)
                branches += (siblings, following, guides), (children, child, below)
                break
            yield from laid_out(node, guides + branch, below, width)
            node = following


def laid_out(node: TreeNode, first: str, then: str, width: int) -> Sequence[Line]:
    """A node's own lines, after guides for the first and for those that follow."""
    room = room_beside(node.tail != "", width) - len(first)
    text = "".join([text for text, _ in node.words])
    columns = len if text.isascii() else cells
    free = room - columns(text)
    if free >= 0:
        return (_opening(first, node.words, node.tail, free),)
    indent = then + " " * max(0, len(first) + node.hang - len(then))
    words, *others = _broken(node.words, room, width - len(indent), columns)
    free = room - columns("".join([text for text, _ in words]))
    return [_opening(first, words, node.tail, free), *([(indent, _GUIDE), *words] for words in others)]


def _opening(first: str, words: Sequence[Span], tail: str, free: int) -> Line:
    """A node's first line; `free` columns come before its tail."""
    line = [(first, _GUIDE), *words]
    if tail:
        line.append(tail_span(tail, free))
    return line


def room_beside(tail: bool, width: int) -> int:
    """How many columns a tail leaves, if there is one."""
    return width - TAIL_WIDTH - len(_GAP) if tail else width


def tail_span(tail: str, free: int) -> Span:
    """A tail, with so many columns free before it."""
    return f"{' ' * free}{_GAP}{tail}", "line"


def _broken(words: Sequence[Span], first_width: int, width: int, columns: Callable[[str], int]) -> list[Line]:
    """Words on lines of `width` columns; the first line has `first_width`. `columns` measures a text."""
    lines: list[Line] = []
    ends = list(accumulate([columns(text) for text, _ in words]))
    room, start = first_width, 0
    while start < len(words):
        text, style = words[start]
        text = text.lstrip()
        if columns(text.rstrip()) > room:
            *full, text = _chopped(text, room, width)
            lines += [[(piece, style)] for piece in full]
            room = width
        last = ends[start] - columns(text) + room
        end = start + 1
        while end < len(words) and ends[end] <= last:
            end += 1
        if end < len(words) and ends[end - 1] + columns(words[end][0].rstrip()) <= last:
            end += 1  # all but the blanks after it
        lines.append(_ended([(text, style), *words[start + 1 : end]]))
        room, start = width, end
    return lines


def _ended(line: Line) -> Line:
    text, style = line[-1]
    return [*line[:-1], (text.rstrip(), style)]


def _chopped(text: str, first_width: int, width: int) -> list[str]:
    """A text in pieces that fit, of at least one character."""
    pieces: list[str] = []
    start, used, room = 0, 0, first_width
    for index, character in enumerate(text):
        taken = cells(character)
        if used + taken > room and index > start:
            pieces.append(text[start:index])
            start, used, room = index, 0, width
        used += taken
    return [*pieces, text[start:]]
