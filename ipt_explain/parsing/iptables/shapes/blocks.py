"""Whole chains at once: a chain whose rules have the shapes of earlier chains' is read by one pattern.

A dump has as many chains as endpoints, but hardly more layouts than shapes. The pattern of a chain is that of its
rules' lines, one after the other. It may be stricter: what was the same in the chains that it was made after (a
target, a protocol; a comment that all rules repeat) has to be the same again, and is kept once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Sequence
from operator import itemgetter

from ipt_explain.model import Chain, Layout
from ipt_explain.parsing.iptables.shapes.shapes import COUNTERS, ShapePattern
from ipt_explain.patterns import lazy_pattern

_MAX_LINES = 64
_HEAD = r"(?:\[\d+:\d+\] )?-A"
BLOCK = lazy_pattern(rf"{_HEAD} ([^ \n]+) .*\n(?:{_HEAD} \1 .*\n){{0,{_MAX_LINES - 1}}}")
"""Lines that append to one chain, as far as a glance can tell: a line may also be the middle of a quoted value."""

# Compiling a chain's pattern takes as long as reading some hundred such chains by their lines.
_OFTEN = 32
_MAX_PATTERNS = 128
_MAX_ALIKE = 16  # of as many lines: each chain is tried by all of them
_MAX_REMEMBERED = 4096

_Words = tuple[str, ...]


class BlockPattern:
    """The pattern of the chains of one layout, each rule on a line of its own, with or without counters."""

    __slots__ = ("_common", "_constants", "_counts", "_values", "layout", "lines", "match")

    def __init__(self, lines: Sequence[ShapePattern], met: Sequence[_Words]) -> None:
        """`met` are the values of some chains that the lines' patterns have read."""
        self.layout = Layout.of(tuple([line.shape for line in lines]))
        constants = _constants(self.layout, met)
        twins = _twins(self.layout, lines, met, constants)
        pattern = []
        places: list[int | None] = []  # of each group's value; None for a count
        for start, line in zip(self.layout.offsets, lines):
            if line.counted:
                pattern.append(COUNTERS)
                places += (None, None)
            words = []
            for place, word in _placed(start, line):
                if place in constants:
                    words.append(re.escape(constants[place]))
                elif place in twins or place in places:
                    words.append(f"(?P=w{twins.get(place, place)})")
                else:
                    words.append(f"(?P<w{place}>{word})")
                    places.append(place)
            pattern.append(line.line.with_words(words) + r"\n")
        pattern.append(rf"(?!{_HEAD} (?P=w0) )")
        self.lines = len(lines)
        self.match = re.compile("".join(pattern), re.DOTALL).match
        self._constants = tuple(constants.values())
        named = {0, *twins.values(), *map(self.layout.target_place, range(len(lines)))}
        common = [place for place in places if place is not None and place in named]
        self._common = _picker([places.index(place) for place in common])
        found = {place: index for index, place in enumerate([*places, *constants, *common])}
        self._values = _picker([found[twins.get(place, place)] for place in range(self.layout.offsets[-1] + 1)])
        counts = [index for index, place in enumerate(places) if place is None]
        self._counts = _picker(counts) if counts else None

    def content(self, match: re.Match[str], share: Callable[[str, str], str]) -> tuple[_Words, _Words]:
        """The values of the chain that was matched, and its rules' counts. `share`, given a word twice, returns the one
        like it that is kept: names of chains, and what a chain's rules repeat, stand in other chains, too.
        """
        groups = match.groups()
        common = self._common(groups)
        values = self._values((*groups, *self._constants, *map(share, common, common)))
        return values, () if self._counts is None else self._counts(groups)


class BlockCache:
    """The layouts met so far, with patterns for those that are met often."""

    def __init__(self) -> None:
        self._by_lines: dict[int, list[BlockPattern]] = defaultdict(list)
        self._met: dict[tuple[ShapePattern, ...], list[_Words]] = {}
        self._compiled = 0

    def find(self, text: str, position: int, lines: int) -> tuple[BlockPattern, re.Match[str]] | None:
        """The pattern of the chain of so many lines that begins at this position, if there is one, and its match."""
        patterns = self._by_lines[lines]
        for pattern in patterns:
            match = pattern.match(text, position)
            if match is not None:
                if pattern is not patterns[0]:  # the last used comes first
                    patterns.remove(pattern)
                    patterns.insert(0, pattern)
                return pattern, match
        return None

    def note(self, lines: Sequence[ShapePattern], chain: Chain) -> None:
        """A chain was read by the patterns of its lines."""
        alike = self._by_lines[len(lines)]
        if len(lines) > _MAX_LINES or len(alike) >= _MAX_ALIKE or self._compiled >= _MAX_PATTERNS:
            return
        if len(self._met) >= _MAX_REMEMBERED:
            self._met.clear()
        met = self._met.setdefault(tuple(lines), [])
        met.append(chain.values)
        if len(met) == _OFTEN:
            self._compiled += 1
            alike.insert(0, BlockPattern(lines, met))
            met.clear()


def _placed(start: int, line: ShapePattern) -> Iterator[tuple[int, str]]:
    """Where in the chain's values those of a line are, whose rule's offset is `start`, and what each may be."""
    return ((start + slot if slot else 0, word) for slot, word in enumerate(line.line.words))


def _constants(layout: Layout, met: Sequence[_Words]) -> dict[int, str]:
    """The words, by place, that are the same in all these chains, of those that are so in most: targets, protocols,
    probabilities.
    """
    places: list[int | None] = []
    for rule, shape in enumerate(layout.shapes):
        options = shape.core_option("-p"), shape.match_option("statistic", "--probability")
        places += (layout.target_place(rule), *[layout.place(rule, option) for option in options])
    return {place: met[0][place] for place in places if place and len({values[place] for values in met}) == 1}


def _twins(
    layout: Layout, lines: Sequence[ShapePattern], met: Sequence[_Words], constants: Container[int]
) -> dict[int, int]:
    """The earlier place, by place, that in all these chains has the same word, and may have the same words."""
    first: dict[tuple[str, ...], int] = {}
    twins: dict[int, int] = {}
    for start, line in zip(layout.offsets, lines):
        for place, word in _placed(start, line):
            if place not in constants:
                earlier = first.setdefault((word, *[values[place] for values in met]), place)
                if earlier != place:
                    twins[place] = earlier
    return twins


def _picker(indexes: list[int]) -> Callable[[_Words], _Words]:
    """What picks some of a tuple's words, as a tuple."""
    if len(indexes) > 1:
        return itemgetter(*indexes)
    return lambda words: (words[indexes[0]],)
