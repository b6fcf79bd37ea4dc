"""Rules that occur more than once in a chain, word for word."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.model import Rule, Ruleset
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Repetition:
    """The copies of one rule in a chain, in order; at least two."""

    table: str
    rules: tuple[Rule, ...]


def find_repetitions(ruleset: Ruleset) -> tuple[Repetition, ...]:
    """Every rule that occurs more than once in its chain."""
    return tuple(_repetitions(ruleset))


def _repetitions(ruleset: Ruleset) -> Iterator[Repetition]:
    for name, table in ruleset.tables.items():
        layouts = {chain.layout for chain in table.chains.values()}
        suspects = {layout for layout in layouts if len(set(layout.shapes)) < len(layout.shapes)}
        for chain in table.chains.values():
            if chain.layout not in suspects:
                continue
            shapes, ends = chain.layout.shapes, chain.layout.offsets[1:]
            # The last value is nearly always the target. If all targets differ, so do the rules.
            if len(set(map(chain.at, ends))) == len(shapes):
                continue
            rules = chain.rules
            copies: dict[tuple[object, ...], list[Rule]] = {}
            for rule in rules:
                copies.setdefault((rule.shape, rule.values), []).append(rule)
            for same in copies.values():
                if len(same) > 1:
                    yield Repetition(name, tuple(same))
