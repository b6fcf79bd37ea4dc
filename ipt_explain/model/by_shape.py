"""The rules of a ruleset by table and shape: what can be told from a rule's form is asked once for each form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ipt_explain.model import Rule, Ruleset, Shape

RulesByShape: TypeAlias = Mapping[str, Mapping[Shape, list[Rule]]]


def rules_by_shape(ruleset: Ruleset) -> RulesByShape:
    """By table and shape, the rules in the order of the text."""
    found: dict[str, dict[Shape, list[Rule]]] = {}
    for name, table in ruleset.tables.items():
        shapes: dict[Shape, list[Rule]] = {}
        for chain in table.chains.values():
            for rule in chain.rules:
                shape = rule.shape
                if shape in shapes:
                    shapes[shape].append(rule)
                else:
                    shapes[shape] = [rule]
        found[name] = shapes
    return found
