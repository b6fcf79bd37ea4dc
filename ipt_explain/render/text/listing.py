"""A long list under a tree, such as a chain's rules. Most entries are laid out without spans for their words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from ipt_explain.render.text.outline import (
    BRANCH,
    LAST_BRANCH,
    NO_TRUNK,
    TRUNK,
    Line,
    Span,
    TreeNode,
    draw,
    laid_out,
    room_beside,
    sentence,
    tail_span,
)
from ipt_explain.render.text.terminal import text_maker

Entry = tuple[str, Sequence[Span], str]
"""An entry of a list: its label, text that may be broken at every space, and a tail."""


def list_text(root: TreeNode, entries: Iterable[Entry], label_width: int, width: int, color: bool) -> Iterator[str]:
    """A tree as text, with a list below its last child if it has entries. Their labels take `label_width` columns, 0
    for none."""
    text_of = text_maker(color)
    following = iter(entries)
    entry = next(following, None)
    if entry is None:
        yield from map(text_of, draw(root, width))
        return
    root.children[-1].children = [TreeNode([("", "")])]  # in place of the list
    *above, _ = draw(root, width)
    yield from map(text_of, above)
    indent = _THEN + " " * (label_width or _HANG)
    following_line = "\n" + indent
    rooms = [room_beside(tail, width) - len(_FIRST) - label_width for tail in (False, True)]
    for after in following:
        label, prose, tail = entry
        room = rooms[tail != ""]
        lines = _wrapped("".join(map(_TEXT, prose)), room, width - len(indent))
        if lines is None:
            yield from map(text_of, _broken(entry, _FIRST, _THEN, label_width, width))
        else:
            label = label.ljust(label_width)
            beside = tail_span(tail, room - len(lines[0])) if tail else ("", "")
            if color:
                first, *others = _styled(lines, prose)
                yield text_of([(_FIRST, "guide"), (label, "guide"), *first, beside])
                yield from [text_of([(indent, "guide"), *spans]) for spans in others]
            else:
                lines[0] += beside[0]
                yield f"{_FIRST}{label}{following_line.join(lines)}\n"
        entry = after
    yield from map(text_of, _broken(entry, NO_TRUNK + LAST_BRANCH, NO_TRUNK + NO_TRUNK, label_width, width))


_HANG = 2
"""The column at which an entry without a label continues."""
_TEXT = itemgetter(0)
_FIRST, _THEN = NO_TRUNK + BRANCH, NO_TRUNK + TRUNK


def _wrapped(text: str, room: int, wide: int) -> list[str] | None:
    """A text in lines; the first has `room` columns, the others are `wide`. None if words are
    too wide, or of more than one byte, or two spaces meet."""
    if min(room, wide) < 1 or not text.isascii() or "  " in text or text[:1] in ("", " ") or text[-1] == " ":
        return None
    lines = []
    start, left = 0, len(text)
    while left > room:
        end = text.rfind(" ", start, start + room + 1)
        if end < 0:
            return None
        lines.append(text[start:end])
        start = end + 1
        left, room = len(text) - start, wide
    return [*lines, text[start:]]


def _styled(lines: Iterable[str], prose: Iterable[Span]) -> Iterator[list[Span]]:
    """The spans of a prose on each of its lines."""
    start = 0
    for line in lines:
        end, stop = start + len(line), 0
        spans = []
        for text, style in prose:
            before, stop = stop, stop + len(text)
            if start < stop and before < end:
                spans.append((text[max(start - before, 0) : end - before], style))
        yield spans
        start = end + 1


def _broken(entry: Entry, first: str, then: str, label_width: int, width: int) -> list[Line]:
    """The lines of an entry, word by word. On each line, what is of one text is one span."""
    label, prose, tail = entry
    texts = [(label.ljust(label_width), "guide"), *prose]
    words = [(texts[0][0], "0")]
    for number, (text, _) in enumerate(prose, 1):
        words += [(word, f"{number}") for word, _ in sentence(text) if word]
    styles = {f"{number}": style for number, (_, style) in enumerate(texts)}
    return [
        [("".join([text for text, _ in same]), styles.get(key, key)) for key, same in groupby(line, itemgetter(1))]
        for line in laid_out(TreeNode(words, tail, label_width or _HANG), first, then, width)
    ]
