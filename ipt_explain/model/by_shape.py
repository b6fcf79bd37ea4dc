"""The rules of a ruleset by table and shape: what depends only on a rule's form is computed once per form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import TypeAlias

from ipt_explain.model import Chain, Layout, Rule, Ruleset, Shape, Table

_Row: TypeAlias = tuple[int, int, Chain]  # the chain's place in its table, the rule's number in it, the chain


class RulesOfShape(Collection[Rule]):
    """Rules of one shape, in the order of the text. They are made on demand; use a column where that is enough.

    Each part has the rules at some places of all chains of one layout.
    """

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[tuple[Layout, tuple[int, ...], Mapping[int, Chain]]] = []

    def add(self, layout: Layout, numbers: tuple[int, ...], chains: Mapping[int, Chain]) -> None:
        """Add these rules of all chains of a layout, given by their places in the table."""
        self._parts.append((layout, numbers, chains))

    def columns(self, slot: int) -> Iterator[tuple[Layout, list[str]]]:
        """The words in a slot of every rule, as written, layout by layout; slot 0 has the chains' names."""
        for layout, numbers, chains in self._parts:
            places = _places(layout, numbers, slot)
            if len(places) == 1:
                place = places[0]
                yield layout, [chain.values[place] for chain in chains.values()]
            else:
                yield layout, [word for chain in chains.values() for word in map(chain.values.__getitem__, places)]

    def column(self, slot: int) -> list[str]:
        """The words in a slot of every rule, as written, in the order of `columns`."""
        found: list[str] = []
        for _, words in self.columns(slot):
            found += words
        return found

    def having(self, slot: int, fits: Callable[[str], object]) -> list[Rule]:
        """The rules whose word in a slot satisfies `fits`."""
        fitting = [bool(fits(word)) for word in self.column(slot)]
        return list(_in_order(compress(self._rows(), fitting))) if True in fitting else []

    def examples(self, slots: Sequence[int]) -> dict[tuple[str, ...], Rule]:
        """A rule for each combination of words, as written, in some slots."""
        rows = dict(zip(zip(*map(self.column, slots)), self._rows()))
        return {words: chain.rule(number) for words, (_, number, chain) in rows.items()}

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

    def _rows(self) -> Iterator[_Row]:
        """Where the rules are, in the order of `columns`."""
        for _, numbers, chains in self._parts:
            for place, chain in chains.items():
                for number in numbers:
                    yield place, number, chain

    def __len__(self) -> int:
        return sum(len(numbers) * len(chains) for _, numbers, chains in self._parts)

    def __iter__(self) -> Iterator[Rule]:
        return _in_order(self._rows())

    def __contains__(self, rule: object) -> bool:
        return any(rule is each for each in self)


RulesByShape: TypeAlias = Mapping[str, Mapping[Shape, RulesOfShape]]


def rules_by_shape(ruleset: Ruleset) -> RulesByShape:
    """The rules by table and shape, in the order of the text."""
    return {name: _by_shape(table) for name, table in ruleset.tables.items()}


def _by_shape(table: Table) -> Mapping[Shape, RulesOfShape]:
    by_layout: dict[Layout, dict[int, Chain]] = defaultdict(dict)
    for place, chain in enumerate(table.chains.values()):
        by_layout[chain.layout][place] = chain
    found: dict[Shape, RulesOfShape] = defaultdict(RulesOfShape)
    for layout, chains in by_layout.items():
        numbers: dict[Shape, list[int]] = defaultdict(list)
        for number, shape in enumerate(layout.shapes):
            numbers[shape].append(number)
        for shape, same in numbers.items():
            found[shape].add(layout, tuple(same), chains)
    return dict(found)


def _places(layout: Layout, numbers: Iterable[int], slot: int) -> list[int]:
    """Where chains of a layout have a slot of some rules among their values."""
    return [layout.offsets[number] + slot if slot else 0 for number in numbers]


def _in_order(rows: Iterable[_Row]) -> Iterator[Rule]:
    return (chain.rule(number) for _, number, chain in sorted(rows))
