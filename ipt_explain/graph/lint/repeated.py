"""Rules that occur more than once in a chain, word for word."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.model import Rule
from ipt_explain.model.by_shape import ByLayout, chains_in_order
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Repetition:
    """The copies of one rule in a chain, in order; at least two."""

    table: str
    rules: tuple[Rule, ...]


def find_repetitions(chains: ByLayout) -> Iterator[Repetition]:
    """Every rule that occurs more than once in its chain."""
    for name, layouts in chains.items():
        suspects = [alike for layout, alike in layouts.items() if len(set(layout.shapes)) < len(layout)]
        for chain in chains_in_order(suspects):
            # The last value is nearly always the target. If all targets differ, so do the rules.
            if len(set(map(chain.values.__getitem__, chain.layout.offsets[1:]))) == len(chain.layout):
                continue
            copies: dict[tuple[object, ...], list[Rule]] = {}
            for rule in chain.rules:
                copies.setdefault((rule.shape, rule.values), []).append(rule)
            for same in copies.values():
                if len(same) > 1:
                    yield Repetition(name, tuple(same))
