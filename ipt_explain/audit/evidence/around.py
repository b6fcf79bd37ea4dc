"""A single ruleset, ready for packets to be sent through: its rules, and the addresses around it."""

from __future__ import annotations

from ipt_explain.analyzers.fates.vantages import Surroundings
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.netfilter.walk.stages import NodeRules


@fact
def around(context: RulesetContext) -> tuple[NodeRules, Surroundings]:
    """The rules to walk, and who may send."""
    node = NodeRules([context.ruleset])
    return node, Surroundings.of(context.ruleset.family, context.services, node.indexes.destinations)
