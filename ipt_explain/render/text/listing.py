"""A long list under a tree, such as a chain's rules. Most entries are laid out without spans for their words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from ipt_explain.records import NamedTuple
from ipt_explain.render.text.outline import (
    BRANCH,
    LAST_BRANCH,
    NO_TRUNK,
    TRUNK,
    Line,
    Node,
    Span,
    draw,
    laid_out,
    room_beside,
    sentence,
    tail_span,
)


class Entry(NamedTuple):
    """An entry of a list: its label, text that may be broken at every space, and a tail."""

    label: str
    prose: Sequence[Span]
    tail: str


class Wrapped(NamedTuple):
    """An entry that is broken only at single spaces: its text, where each line of that begins and ends, and how many
    columns the first line leaves free before the tail. Then the columns of all entries' labels, and of their text."""

    entry: Entry
    text: str
    cuts: Sequence[tuple[int, int]]
    free: int
    label_width: int
    hang: int

    def plain(self) -> str:
        """Its lines as text without styles."""
        text, tail = self.text, self.entry.tail
        (start, end), *others = self.cuts
        lines = [f"{_FIRST}{self.entry.label:<{self.label_width}}{text[start:end]}"]
        if tail:
            lines[0] += tail_span(tail, self.free)[0]
        indent = _THEN + " " * self.hang
        lines += [indent + text[start:end] for start, end in others]
        return "\n".join(lines) + "\n"

    def lines(self) -> list[Line]:
        """Its lines."""
        first, *others = map(self._spans, self.cuts)
        tail = [tail_span(self.entry.tail, self.free)] if self.entry.tail else []
        start = [(_FIRST, "guide"), (self.entry.label.ljust(self.label_width), "guide")]
        indent = (_THEN + " " * self.hang, "guide")
        return [[*start, *first, *tail], *[[indent, *spans] for spans in others]]

    def _spans(self, cut: tuple[int, int]) -> Iterator[Span]:
        start, end = cut
        stop = 0
        for text, style in self.entry.prose:
            before, stop = stop, stop + len(text)
            if start < stop and before < end:
                yield self.text[max(start, before) : min(end, stop)], style


def draw_list(root: Node, entries: Iterable[Entry], label_width: int, width: int) -> Iterator[Line | Wrapped]:
    """The lines of a tree, with a list below its last child if it has entries. Their labels take `label_width` columns,
    0 for none."""
    following = iter(entries)
    entry = next(following, None)
    if entry is None:
        yield from draw(root, width)
        return
    root.children[-1].children = [Node([("", "")])]  # in place of the list
    *above, _ = draw(root, width)
    yield from above
    hang = label_width or _HANG
    wide = width - len(_THEN) - hang
    for after in following:
        room = room_beside(entry.tail != "", width) - len(_FIRST) - label_width
        text = "".join([text for text, _ in entry.prose])
        cuts = _cuts(text, room, wide)
        if cuts is None:
            yield from _broken(entry, _FIRST, _THEN, label_width, width)
        else:
            yield Wrapped(entry, text, cuts, room - cuts[0][1], label_width, hang)
        entry = after
    yield from _broken(entry, NO_TRUNK + LAST_BRANCH, NO_TRUNK + NO_TRUNK, label_width, width)


_HANG = 2
"""The column at which an entry without a label continues."""
_FIRST, _THEN = NO_TRUNK + BRANCH, NO_TRUNK + TRUNK


def _cuts(text: str, room: int, wide: int) -> list[tuple[int, int]] | None:
    """Where each line of a text begins and ends; the first has `room` columns, the others are `wide`. None if words are
    too wide, or of more than one byte, or two spaces meet."""
    if min(room, wide) < 1 or not text.isascii() or "  " in text or text[:1] in ("", " ") or text[-1] == " ":
        return None
    cuts = []
    start, left = 0, len(text)
    while left > room:
        end = text.rfind(" ", start, start + room + 1)
        if end < 0:
            return None
        cuts.append((start, end))
        start = end + 1
        left, room = len(text) - start, wide
    cuts.append((start, len(text)))
    return cuts


def _broken(entry: Entry, first: str, then: str, label_width: int, width: int) -> list[Line]:
    """The lines of an entry, word by word. On each line, what is of one text is one span."""
    texts = [(entry.label.ljust(label_width), "guide"), *entry.prose]
    words = [(texts[0][0], "0")]
    for number, (text, _) in enumerate(entry.prose, 1):
        words += [(word, f"{number}") for word, _ in sentence(text) if word]
    styles = {f"{number}": style for number, (_, style) in enumerate(texts)}
    return [
        [("".join([text for text, _ in same]), styles.get(key, key)) for key, same in groupby(line, itemgetter(1))]
        for line in laid_out(Node(words, entry.tail, label_width or _HANG), first, then, width)
    ]
