"""Rules that a chain holds more than once, word for word."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.model import Rule, Ruleset
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Repetition:
    """All copies of one rule in a chain, in order; two or more."""

    table: str
    rules: tuple[Rule, ...]


def find_repetitions(ruleset: Ruleset) -> tuple[Repetition, ...]:
    """Every rule of a ruleset that has copies in its chain."""
    return tuple(_repetitions(ruleset))


def _repetitions(ruleset: Ruleset) -> Iterator[Repetition]:
    for name, table in ruleset.tables.items():
        for chain in table.chains.values():
            shapes, ends = chain.layout.shapes, chain.layout.offsets[1:]
            if len(set(shapes)) == len(shapes):
                continue
            # The last value is the target, nearly always: where all differ, so do the rules.
            if len({chain.at(end) for end in ends}) == len(shapes):
                continue
            rules = chain.rules
            copies: dict[tuple[object, ...], list[Rule]] = {}
            for rule in rules:
                copies.setdefault((rule.shape, rule.values), []).append(rule)
            for same in copies.values():
                if len(same) > 1:
                    yield Repetition(name, tuple(same))
