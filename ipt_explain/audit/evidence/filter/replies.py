"""Whether INPUT accepts replies to the node's own connections."""

from __future__ import annotations

from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.hooks.hook_states import asked_states
from ipt_explain.model import Chain, Rule


def drops_replies(context: RulesetContext) -> Chain | None:
    """filter INPUT, if its policy is DROP and no rule that it leads to accepts known connections."""
    table, graph = context.table("filter"), context.graph("filter")
    chain = None if table is None else table.chains.get("INPUT")
    if table is None or graph is None or chain is None or chain.policy != "DROP":
        return None
    for name in graph.reachable_from("INPUT"):
        reached = table.chains.get(name)
        if reached is not None and any(map(_may_accept_replies, reached.rules)):
            return None
    return chain


def _may_accept_replies(rule: Rule) -> bool:
    if rule.target != "ACCEPT":
        return False
    states = asked_states(rule)
    if states:
        return "ESTABLISHED" in states
    # kube-proxy's health check ports are for new connections to the node.
    return not rule.chain.startswith("KUBE-")
