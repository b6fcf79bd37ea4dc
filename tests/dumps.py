"""What tests ask of a dump."""

from __future__ import annotations

from ipt_explain.model import Dump, Rule


def rules_of(dump: Dump) -> list[Rule]:
    """All its rules, in order."""
    return [
        rule
        for ruleset in dump.rulesets
        for table in ruleset.tables.values()
        for chain in table.chains.values()
        for rule in chain.rules
    ]
