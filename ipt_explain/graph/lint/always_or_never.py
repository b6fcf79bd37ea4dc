"""Rules with a condition that matches no packet, or every packet."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.model import Rule, Shape
from ipt_explain.model.by_shape import RulesByShape, RulesOfShape
from ipt_explain.netfilter.certainty.never import Certainty, certainty_of, deciding_slots


def find_certain(rules_of: RulesByShape) -> Iterator[tuple[Rule, Certainty]]:
    """Rules and their conditions, in the order of the text within each shape."""
    for shapes in rules_of.values():
        for shape, rules in shapes.items():
            yield from _of_shape(shape, rules)


def _of_shape(shape: Shape, rules: RulesOfShape) -> Iterator[tuple[Rule, Certainty]]:
    """Judge each distinct value once: a dump of 300,000 rules has few probabilities and pod networks."""
    slots = deciding_slots(shape)
    if not slots:
        return
    certain: dict[tuple[str, ...], Certainty] = {}
    for words, example in rules.examples(slots).items():
        certainty = certainty_of(example)
        if certainty is not None:
            certain[words] = certainty
    for words, rule in rules.with_words(slots, certain) if certain else ():
        yield rule, certain[words]
