"""Rules with a condition that no packet, or every packet, meets."""

from __future__ import annotations

from ipt_explain.analyzers.shapes import rules_by_shape
from ipt_explain.model import Rule, Ruleset
from ipt_explain.netfilter.never import Certainty, certainty_of, worth_asking


def find_certain(ruleset: Ruleset) -> tuple[tuple[str, Rule, Certainty], ...]:
    """Table, rule and condition, in the order of the text within each shape."""
    return tuple(
        (table, rule, certainty)
        for table, shapes in rules_by_shape(ruleset).items()
        for shape, rules in shapes.items()
        if worth_asking(shape)
        for rule in rules
        if (certainty := certainty_of(rule)) is not None
    )
