"""The rules of a ruleset by table and layout, and by table and shape: what depends only on a form is computed once per
form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain as chained
from itertools import compress
from operator import itemgetter
from typing import TypeAlias

from ipt_explain.model import Chain, Layout, Rule, Ruleset, Shape, Table

_Row: TypeAlias = tuple[int, int, Chain]  # the chain's place in its table, the rule's number in it, the chain


class SameLayout:
    """Chains of one layout in a table, in the order of the text, and their places in it. Columns of their words are
    kept, as several questions need the same."""

    __slots__ = ("_columns", "_distinct", "_values", "chains", "layout", "places")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.chains: list[Chain] = []
        self.places: list[int] = []
        self._values: list[tuple[str, ...]] = []
        self._columns: dict[tuple[int, ...], Sequence[str]] = {}
        self._distinct: dict[tuple[int, ...], frozenset[str]] = {}

    def add(self, place: int, chain: Chain) -> None:
        """Add the chain at some place of the table."""
        self.places.append(place)
        self.chains.append(chain)
        self._values.append(chain.values)

    @property
    def names(self) -> Sequence[str]:
        """The chains' names."""
        return self.column(0)

    def column(self, *at: int) -> Sequence[str]:
        """The words at one or more places of the layout, as written, chain by chain."""
        found = self._columns.get(at)
        if found is None:
            rows = map(itemgetter(*at), self._values)
            found = self._columns[at] = list(rows) if len(at) == 1 else list(chained.from_iterable(rows))
        return found

    def distinct(self, *at: int) -> frozenset[str]:
        """The words of a column, each once."""
        found = self._distinct.get(at)
        if found is None:
            found = self._distinct[at] = frozenset(self.column(*at))
        return found


ByLayout: TypeAlias = Mapping[str, Mapping[Layout, SameLayout]]


def chains_in_order(groups: Iterable[SameLayout]) -> list[Chain]:
    """The chains of some layouts of a table, in the order of the text."""
    placed = [row for alike in groups for row in zip(alike.places, alike.chains)]
    return [chain for _, chain in sorted(placed, key=itemgetter(0))]


class RulesOfShape(Collection[Rule]):
    """Rules of one shape, in the order of the text. They are made on demand; use a column where that is enough.

    Each part has the rules with some numbers in all chains of one layout.
    """

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[tuple[SameLayout, Sequence[int]]] = []

    def add(self, alike: SameLayout, numbers: Sequence[int]) -> None:
        """Add these rules of all chains of a layout."""
        self._parts.append((alike, numbers))

    def parts(self, slot: int) -> Iterator[tuple[SameLayout, Sequence[int]]]:
        """The chains with such rules, layout by layout, and where a slot of theirs is in the layout; slot 0 has the
        chains' names."""
        for alike, numbers in self._parts:
            offsets = alike.layout.offsets
            yield alike, [offsets[number] + slot if slot else 0 for number in numbers]

    def columns(self, slot: int) -> list[Sequence[str]]:
        """The words in a slot of every rule, as written, layout by layout."""
        return [alike.column(*places) for alike, places in self.parts(slot)]

    def column(self, slot: int) -> Sequence[str]:
        """The words in a slot of every rule, as written."""
        columns = self.columns(slot)
        return columns[0] if len(columns) == 1 else list(chained.from_iterable(columns))

    def having(self, slot: int, fits: Callable[[str], object]) -> list[Rule]:
        """The rules whose word in a slot satisfies `fits`."""
        fitting = set(filter(fits, self.distinct(slot)))
        if not fitting:
            return []
        return list(_in_order(compress(self._rows(), map(fitting.__contains__, self.column(slot)))))

    def distinct(self, slot: int) -> frozenset[str]:
        """The words in a slot of any rule, each once."""
        return frozenset().union(*[alike.distinct(*places) for alike, places in self.parts(slot)])

    def examples(self, slots: Sequence[int]) -> dict[tuple[str, ...], Rule]:
        """A rule for each combination of words, as written, in some slots."""
        last = dict(zip(zip(*map(self.column, slots)), range(len(self))))
        return {words: self._rule(index) for words, index in last.items()}

    def with_words(
        self, slots: Sequence[int], wanted: Container[tuple[str, ...]]
    ) -> Iterator[tuple[tuple[str, ...], Rule]]:
        """The rules that have one of these combinations of words in some slots, after the words."""
        words = zip(*map(self.column, slots))
        found = sorted((*row, each) for row, each in zip(self._rows(), words) if each in wanted)
        return ((each, chain.rule(number)) for _, number, chain, each in found)

    def places(self) -> Iterator[tuple[Chain, int]]:
        """Where the rules are, in the order of `columns`: chain and number."""
        return ((chain, number) for _, number, chain in self._rows())

    def _rule(self, index: int) -> Rule:
        """A rule by its place in the order of `columns`."""
        for alike, numbers in self._parts:
            count = len(numbers) * len(alike.chains)
            if index < count:
                return alike.chains[index // len(numbers)].rule(numbers[index % len(numbers)])
            index -= count
        raise IndexError(index)

    def _rows(self) -> Iterator[_Row]:
        """Where the rules are, in the order of `columns`."""
        for alike, numbers in self._parts:
            for place, chain in zip(alike.places, alike.chains):
                for number in numbers:
                    yield place, number, chain

    def __len__(self) -> int:
        return sum(len(numbers) * len(alike.chains) for alike, numbers in self._parts)

    def __iter__(self) -> Iterator[Rule]:
        return _in_order(self._rows())

    def __contains__(self, rule: object) -> bool:
        return any(rule is each for each in self)


RulesByShape: TypeAlias = Mapping[str, Mapping[Shape, RulesOfShape]]


def by_layout(ruleset: Ruleset) -> ByLayout:
    """The chains by table and layout, in the order of the text."""
    return {name: _by_layout(table) for name, table in ruleset.tables.items()}


def _by_layout(table: Table) -> Mapping[Layout, SameLayout]:
    found: dict[Layout, SameLayout] = {}
    for place, chain in enumerate(table.chains.values()):
        alike = found.get(chain.layout)
        if alike is None:
            alike = found[chain.layout] = SameLayout(chain.layout)
        alike.add(place, chain)
    return found


def rules_by_shape(chains: ByLayout) -> RulesByShape:
    """The rules by table and shape, in the order of the text."""
    return {table: _by_shape(layouts.values()) for table, layouts in chains.items()}


def _by_shape(layouts: Iterable[SameLayout]) -> Mapping[Shape, RulesOfShape]:
    found: dict[Shape, RulesOfShape] = defaultdict(RulesOfShape)
    for alike in layouts:
        for shape, numbers in alike.layout.numbers().items():
            found[shape].add(alike, numbers)
    return dict(found)


def _in_order(rows: Iterable[_Row]) -> Iterator[Rule]:
    return (chain.rule(number) for _, number, chain in sorted(rows))
