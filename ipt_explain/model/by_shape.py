"""The rules of a ruleset by table and shape: what depends only on a rule's form is computed once per form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias, overload

from ipt_explain.model import Chain, Layout, Rule, Ruleset, Shape, Table


class RulesOfShape(Sequence[Rule]):
    """Rules of one shape, in the order of the text. They are made on demand; use a column where that is enough."""

    __slots__ = ("chains", "numbers")

    def __init__(self) -> None:
        self.chains: list[Chain] = []
        self.numbers: list[int] = []

    def column(self, slot: int) -> list[str]:
        """The words in a slot of every rule, as written; slot 0 has the chains' names."""
        if slot == 0:
            return [chain.values[0] for chain in self.chains]
        return [chain.values[chain.layout.offsets[at] + slot] for chain, at in zip(self.chains, self.numbers)]

    def having(self, slot: int, fits: Callable[[str], object]) -> list[Rule]:
        """The rules whose word in a slot satisfies `fits`."""
        return [self[row] for row, word in enumerate(self.column(slot)) if fits(word)]

    def __len__(self) -> int:
        return len(self.chains)

    def __iter__(self) -> Iterator[Rule]:
        return (chain.rule(number) for chain, number in zip(self.chains, self.numbers))

    @overload
    def __getitem__(self, index: int) -> Rule: ...
    @overload
    def __getitem__(self, index: slice) -> list[Rule]: ...
    def __getitem__(self, index: int | slice) -> Rule | list[Rule]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(len(self)))]
        return self.chains[index].rule(self.numbers[index])


RulesByShape: TypeAlias = Mapping[str, Mapping[Shape, RulesOfShape]]


def rules_by_shape(ruleset: Ruleset) -> RulesByShape:
    """The rules by table and shape, in the order of the text."""
    return {name: _by_shape(table) for name, table in ruleset.tables.items()}


def _by_shape(table: Table) -> Mapping[Shape, RulesOfShape]:
    found: dict[Shape, RulesOfShape] = defaultdict(RulesOfShape)
    by_layout: dict[Layout, list[RulesOfShape]] = {}
    for chain in table.chains.values():
        layout = chain.layout
        rules = by_layout.get(layout)
        if rules is None:
            rules = by_layout[layout] = [found[shape] for shape in layout.shapes]
        for number, same in enumerate(rules):
            same.chains.append(chain)
            same.numbers.append(number)
    return dict(found)
