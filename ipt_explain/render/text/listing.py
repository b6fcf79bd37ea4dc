"""A long list under a tree, such as a chain's rules. Entries whose words have the same widths are laid out once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

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
    """An entry of a list: its label, text that may be broken at every space, and a tail. Every span of the text but
    the first begins with a space."""

    label: str
    prose: Sequence[Span]
    tail: str


class Pattern:
    """The lines of entries whose words have the same widths, with a `%s` for each word; so many come before the tail.
    `text` is what is printed of it, once it is. Patterns compare by identity."""

    __slots__ = ("before_tail", "lines", "text")

    def __init__(self, lines: Sequence[Line], before_tail: int) -> None:
        self.lines = lines
        self.before_tail = before_tail
        self.text = ""


class Filled(NamedTuple):
    """The lines of an entry: a pattern and the words for it."""

    pattern: Pattern
    words: tuple[str, ...]


def draw_list(root: Node, entries: Iterable[Entry], label_width: int, width: int) -> Iterator[Line | Filled]:
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
    layouts = _Layouts(label_width, width)
    for after in following:
        yield from layouts.lines(entry)
        entry = after
    yield from layouts.last(entry)


_HANG = 2
"""The column at which an entry without a label continues."""
_KEPT = 1024
"""How many patterns are kept."""
_FIRST, _THEN = NO_TRUNK + BRANCH, NO_TRUNK + TRUNK


class _Layouts:
    """Lays out the entries of a list."""

    def __init__(self, label_width: int, width: int) -> None:
        self._label_width = label_width
        self._hang = label_width or _HANG
        self._width = width
        self._known: dict[tuple[int | str, ...], Pattern | None] = {}

    def lines(self, entry: Entry) -> Sequence[Line | Filled]:
        """The lines of an entry that is not the last."""
        label, prose, tail = entry
        words = [label] if label else []
        widths: list[int | str] = [len(label), len(tail) > 0]
        for text, style in prose:
            if not text.isascii():
                return self._broken(entry, _FIRST, _THEN)
            own = text.split()
            words += own
            widths += style, len(text), *map(len, own)
        key = tuple(widths)
        pattern = self._known[key] if key in self._known else self._pattern(entry)
        if len(self._known) < _KEPT:
            self._known[key] = pattern
        if pattern is None:
            return self._broken(entry, _FIRST, _THEN)
        if tail:
            words.insert(pattern.before_tail, tail)
        return (Filled(pattern, tuple(words)),)

    def _pattern(self, entry: Entry) -> Pattern | None:
        """The pattern for words as wide as an entry's. None if one is too wide for a line, or two spaces meet."""
        label, tail = len(entry.label), len(entry.tail) > 0
        words = [(number, len(word)) for number, (text, _) in enumerate(entry.prose) for word in text.split()]
        if any(" " * (number > 0) + " ".join(text.split()) != text for number, (text, _) in enumerate(entry.prose)):
            return None
        room = beside_tail = room_beside(tail, self._width) - len(_FIRST)
        rows: list[list[int]] = [[]]  # the text of each word, line by line
        used = self._label_width
        for number, each in words:
            used += bool(rows[-1]) + each
            if used > room:
                room = self._width - len(_THEN) - self._hang
                if not rows[-1] or each > room:
                    return None
                rows.append([])
                used = each
            rows[-1].append(number)
        first, *others = [_spans(row, entry.prose) for row in rows]
        start = [(_FIRST, "guide"), ("%s" * (label > 0) + " " * (self._label_width - label), "guide")]
        lines = [[*start, *first], *[[(_THEN + " " * self._hang, "guide"), *spans] for spans in others]]
        if tail:
            count = len(rows[0])
            used = self._label_width + sum([each for _, each in words[:count]]) + count - 1
            lines[0].append(tail_span("%s", beside_tail - used))
        return Pattern(lines, len(rows[0]) + (label > 0))

    def last(self, entry: Entry) -> Sequence[Line]:
        """The lines of the last entry."""
        return self._broken(entry, NO_TRUNK + LAST_BRANCH, NO_TRUNK + NO_TRUNK)

    def _broken(self, entry: Entry, first: str, then: str) -> list[Line]:
        """The lines of an entry, word by word. On each line, what is of one text is one span."""
        texts = [(entry.label.ljust(self._label_width), "guide"), *entry.prose]
        words = [(texts[0][0], "0")]
        for number, (text, _) in enumerate(entry.prose, 1):
            words += [(word, f"{number}") for word, _ in sentence(text) if word]
        styles = {f"{number}": style for number, (_, style) in enumerate(texts)}
        return [
            [("".join([text for text, _ in same]), styles.get(key, key)) for key, same in groupby(line, itemgetter(1))]
            for line in laid_out(Node(words, entry.tail, self._hang), first, then, self._width)
        ]


def _spans(row: Iterable[int], prose: Sequence[Span]) -> Iterator[Span]:
    """Places for the words of a line, given the text of the prose that each is of."""
    before = ""
    for number, same in groupby(row):
        yield before + " ".join(["%s" for _ in same]), prose[number][1]
        before = " "
