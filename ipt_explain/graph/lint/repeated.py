"""Rules that occur more than once in a chain, word for word."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.model import Rule
from ipt_explain.model.by_shape import ByLayout, SameLayout, chains_in_order
from ipt_explain.records import Record


class Repetition(Record):
    """The copies of one rule in a chain, in order; at least two."""

    table: str
    rules: tuple[Rule, ...]


def find_repetitions(chains: ByLayout) -> Iterator[Repetition]:
    """Every rule that occurs more than once in its chain."""
    for name, layouts in chains.items():
        for chain in chains_in_order(filter(_may_repeat, layouts.values())):
            if len(set(map(chain.at, chain.layout.offsets[1:]))) == len(chain.layout):
                continue
            copies: dict[tuple[object, ...], list[Rule]] = {}
            for rule in chain.rules:
                copies.setdefault((rule.shape, rule.values), []).append(rule)
            for same in copies.values():
                if len(same) > 1:
                    yield Repetition(name, tuple(same))


def _may_repeat(alike: SameLayout) -> bool:
    """Whether rules of one shape may be equal in chains of a layout. The last value is nearly always the target; if all
    targets differ, so do the rules."""
    for shape, numbers in alike.layout.numbers().items():
        if len(numbers) > 1:
            lasts = alike.distinct(*[alike.layout.offsets[number + 1] for number in numbers])
            if shape.width == 1 or len(lasts) < len(numbers) * len(alike.chains):
                return True
    return False
