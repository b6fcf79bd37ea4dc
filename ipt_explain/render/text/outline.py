"""A tree laid out for a width: guides, columns, hanging indents, line numbers at the right.

Rich's own Tree takes two milliseconds for a service with ten endpoints, and a node may have ten thousand services. So
this module lays out lines as spans of text and style, and rich only colours them for terminals (`terminal`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain

from ipt_explain.records import dataclass, field
from ipt_explain.render.text.safe import cells

Span = tuple[str, str]
"""A text, safe to print, and the name of its style ("" for none)."""

Line = list[Span]

_GAP = "  "
TAIL_WIDTH = len("line 320000")

_GUIDE = "guide"
_BRANCH, _LAST_BRANCH = "├─ ", "└─ "
_TRUNK, _NO_TRUNK = "│  ", "   "


@dataclass(slots=True)
class Node:
    """One entry of a tree.

    A line may be broken between the spans of `words`, which include their spaces; spaces at the start or end of a line
    vanish. `prose` follows `words`, and may be broken at any of its spaces; it is split into words only if need be.
    `hang` is the column, after the guides, at which the following lines start. `more` are further children, made only
    when drawn, such as a long chain's rules.
    """

    words: Sequence[Span]
    tail: str = ""
    hang: int = 0
    children: list[Node] = field(default_factory=list)
    more: Iterator[Node] | None = None
    prose: Sequence[Span] = ()


def sentence(text: str, style: str = "") -> list[Span]:
    """Split text into words, so that lines can be broken at its spaces."""
    first, *others = text.split(" ")
    return [(first, style), *[(f" {word}", style) for word in others]]


def draw(root: Node, width: int) -> Iterator[Line]:
    """The lines of a tree, none wider than `width`; a wider word is broken inside."""
    # Trees are as deep as chains jump, so this does not recurse, nor print a guide for every level.
    room = width // 2 // len(_TRUNK) * len(_TRUNK)
    children = _children(root)
    child = next(children, None)
    yield from _entry(root, "", _TRUNK if child else "", width)
    branches = [(children, child, "")]
    while branches:
        siblings, node, guides = branches.pop()
        while node is not None:
            following = next(siblings, None)
            branch, trunk = (_BRANCH, _TRUNK) if following else (_LAST_BRANCH, _NO_TRUNK)
            below = (guides + trunk)[-room:]
            if node.children or node.more is not None:
                children = _children(node)
                child = next(children, None)
                yield from _entry(node, guides + branch, below + (_TRUNK if child else ""), width)
                branches += (siblings, following, guides), (children, child, below)
                break
            yield from _entry(node, guides + branch, below, width)
            node = following


def _children(node: Node) -> Iterator[Node]:
    return iter(node.children) if node.more is None else chain(node.children, node.more)


def _entry(node: Node, first: str, then: str, width: int) -> Sequence[Line]:
    """A node's own lines, after guides for the first and for those that follow."""
    room = (width - TAIL_WIDTH - len(_GAP) if node.tail else width) - len(first)
    words = [*node.words, *node.prose] if node.prose else node.words
    text = "".join([text for text, _ in words])
    columns = len if text.isascii() else cells
    free = room - columns(text)
    if free >= 0:
        return (_opening(first, words, node.tail, free),)
    indent = then + " " * max(0, len(first) + node.hang - len(then))
    fixed = sum([len(text) for text, _ in node.words])
    lines = _lines_of_prose(words, text, fixed, room, width - len(indent)) if node.prose else None
    words, *others = lines or _broken(_split(node), room, width - len(indent), columns)
    free = room - columns("".join([text for text, _ in words]))
    return [_opening(first, words, node.tail, free), *([(indent, _GUIDE), *words] for words in others)]


def _opening(first: str, words: Sequence[Span], tail: str, free: int) -> Line:
    """A node's first line; `free` columns come before its tail."""
    line = [(first, _GUIDE), *words]
    if tail:
        line.append((f"{' ' * free}{_GAP}{tail}", "line"))
    return line


def _split(node: Node) -> list[Span]:
    """All words of a node, those of its prose one by one."""
    return [*node.words, *[word for text, style in node.prose for word in _words_of(text, style)]]


def _words_of(text: str, style: str) -> list[Span]:
    first, *others = sentence(text, style)
    return [first, *others] if first[0] else others


def _lines_of_prose(
    spans: Sequence[Span], text: str, fixed: int, first_width: int, width: int
) -> list[Line] | None:
    """The lines of spans whose text may be broken at every space after its first `fixed` characters. None if it is not
    plain: words are too wide, or of more than one byte, or two spaces meet."""
    if not text.isascii() or text.find("  ", fixed) >= 0 or text.endswith(" "):
        return None
    ends = list(accumulate([len(each) for each, _ in spans]))
    lines: list[Line] = []
    start, room = 0, first_width
    while start < len(text):
        end = len(text) if len(text) - start <= room else text.rfind(" ", max(start, fixed), start + room + 1)
        if end <= start:
            return None
        line: Line = []
        while start < end:
            number = bisect_right(ends, start)
            stop = min(ends[number], end)
            line.append((text[start:stop], spans[number][1]))
            start = stop
        lines.append(line)
        start, room = end + 1, width
    return lines


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
        end = max(bisect_right(ends, last, start), start + 1)
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
