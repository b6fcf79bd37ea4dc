"""Whole chains at once: a chain whose rules have the shapes of earlier chains' is read by one pattern.

A dump has as many chains as endpoints, but hardly more layouts than shapes. The pattern of a chain is that of its
rules' lines, one after the other. It may be stricter: what was the same in the chains that it was made after (a
target, a protocol; a comment that all rules repeat) has to be the same again, and is kept once.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import repeat, zip_longest

from ipt_explain.model import Chain, Layout
from ipt_explain.parsing.iptables.shapes.patterns import BARE, QUOTED, Scanner, consecutive, freely_begun
from ipt_explain.parsing.iptables.shapes.shapes import COUNTERS, ShapePattern
from ipt_explain.patterns import lazy_pattern

_MAX_LINES = 64
_HEAD = r"(?:\[\d+:\d+\] )?-A"
_BLOCK = lazy_pattern(rf"{_HEAD} ([^ \n]+) .*\n(?:{_HEAD} \1 .*\n){{0,{_MAX_LINES - 1}}}")
"""Lines that append to one chain, as far as a glance can tell: a line may also be the middle of a quoted value."""

# Compiling a chain's pattern takes as long as reading some thirty such chains by their lines. So many may yet come.
_OFTEN = 16
# To refer to a literal is shorter than to repeat it, and so sooner compiled.
_LONG, _REPEATED = 8, 3
_MAX_PATTERNS = 128
_MAX_ALIKE = 16  # of as many lines: each chain is tried by all of them
_MAX_REMEMBERED = 4096

Words = tuple[str, ...]


class BlockPattern:
    """The pattern of the chains of one layout, each rule on a line of its own, with or without counters."""

    __slots__ = ("_constants", "_counts", "_names", "_scanner", "_values", "layout", "lines")

    def __init__(self, lines: Sequence[ShapePattern], met: Sequence[Words]) -> None:
        """`met` are the values of some chains that the lines' patterns have read."""
        self.layout = Layout.of(tuple([line.shape for line in lines]))
        constants = _constants(self.layout, met)
        twins = _twins(self.layout, lines, met, constants)
        often = Counter(literal for line in lines for literal in line.line.literals if len(literal) > _LONG)
        said: dict[str, str] = {}
        pattern = []
        places: list[int | None] = []  # of each group's value; None for a count, -1 for a literal
        for start, line in zip(self.layout.offsets, lines):
            if line.counted:
                pattern.append(COUNTERS)
                places += (None, None)
            placed = dict(_placed(start, line))
            for literal, place in zip_longest(line.line.literals, placed):
                if literal in said:
                    pattern.append(f"(?P={said[literal]})")
                elif often[literal] < _REPEATED:
                    pattern.append(literal)
                else:
                    said[literal] = f"l{len(said)}"
                    pattern.append(f"(?P<{said[literal]}>{literal})")
                    places.append(-1)
                if place is None:
                    pattern.append(r"\n")
                elif place in constants:
                    pattern.append(re.escape(constants[place]))
                elif place in twins or place in places:
                    pattern.append(f"(?P=w{twins.get(place, place)})")
                else:
                    pattern.append(f"(?P<w{place}>{_stricter(placed[place], [values[place] for values in met])})")
                    places.append(place)
        # The chain must not go on, and the next rule must have counters if this one has.
        pattern.append(r"(?!\[\d+:\d+\] *-A (?P=w0) |-)" if lines[-1].counted else r"(?!-A (?P=w0) |\[)")
        self.lines = len(lines)
        self._scanner: Scanner = re.compile("".join(pattern), re.DOTALL).scanner  # type: ignore[attr-defined]
        self._constants = [repeat(constant) for constant in constants.values()]
        names = {0, *map(self.layout.target_place, range(len(lines)))}
        self._names = [index for index, place in enumerate(places) if place is not None and place in names]
        found = {place: index for index, place in enumerate([*places, *constants])}
        self._values = [found[twins.get(place, place)] for place in range(self.layout.offsets[-1] + 1)]
        counts = iter([index for index, place in enumerate(places) if place is None])
        # Two for each rule; None for a rule without counters beside others that have some.
        self._counts = [next(counts) if line.counted else None for line in lines for _ in range(2)]

    def matches(self, text: str, position: int, most: int) -> list[re.Match[str]]:
        """Consecutive chains from this position on."""
        return consecutive(self._scanner, text, position, most)

    def contents(
        self, matches: Sequence[re.Match[str]], names: dict[str, str]
    ) -> tuple[Iterable[Words], Iterable[Words]]:
        """The values of the chains that were matched, and their rules' counts. Each of the chains' `names` is kept
        once.
        """
        columns: list[Iterable[str]] = [*zip(*map(re.Match.groups, matches)), *self._constants]
        for index in self._names:
            columns[index] = tuple(map(names.setdefault, columns[index], columns[index]))
        values = zip(*[columns[index] for index in self._values])
        if not any(index is not None for index in self._counts):
            return values, repeat((), len(matches))
        return values, zip(*[repeat("") if index is None else columns[index] for index in self._counts])


class BlockCache:
    """The layouts met so far, with patterns for those that are met often."""

    def __init__(self) -> None:
        self._by_lines: dict[int, list[BlockPattern]] = defaultdict(list)
        self._met: dict[tuple[ShapePattern, ...], list[Words]] = {}
        self._compiled = 0

    def find(
        self, text: str, position: int, most: int, failed: BlockPattern | None
    ) -> tuple[BlockPattern | None, list[re.Match[str]], int]:
        """The pattern of the chain that begins at this position, if there is one, what it matches from there on, and
        where the chain ends. One pattern has `failed` already.
        """
        block = _BLOCK.match(text, position)
        if block is None:
            return None, [], position + 1
        end = block.end()
        patterns = self._by_lines[text.count("\n", position, end)]
        for pattern in patterns:
            found = [] if pattern is failed else pattern.matches(text, position, most)
            if found:
                if pattern is not patterns[0]:  # the last used comes first
                    patterns.remove(pattern)
                    patterns.insert(0, pattern)
                return pattern, found, end
        return None, [], end

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


def _stricter(pattern: str, met: Iterable[str]) -> str:
    """The pattern of fewer words, sooner compiled and found, where it takes all that were met: of printable ASCII, bare
    ones without quotes and `!`, and beginning with other letters than keywords do.
    """
    strict = freely_begun(pattern).replace(BARE, "[#-~]+").replace(QUOTED, r'"[ !#-\[\]-~]*"')
    return strict if all(map(re.compile(strict).fullmatch, met)) else pattern


def _constants(layout: Layout, met: Sequence[Words]) -> dict[int, str]:
    """The words, by place, that are the same in all these chains, of those that are so in most: targets, protocols,
    probabilities.
    """
    places: list[int | None] = []
    for rule, shape in enumerate(layout.shapes):
        options = shape.core_option("-p"), shape.match_option("statistic", "--probability")
        places += (layout.target_place(rule), *[layout.place(rule, option) for option in options])
    return {place: met[0][place] for place in places if place and len({values[place] for values in met}) == 1}


def _twins(
    layout: Layout, lines: Sequence[ShapePattern], met: Sequence[Words], constants: Container[int]
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
