"""The number of rules that a listing says lead to a chain, which also counts rules that the text does not show."""

from __future__ import annotations

from ipt_explain.analyzers.names import SERVICES
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.model import Chain


def may_lack_hooks(context: RulesetContext) -> bool:
    """Whether the text may show that hooks are missing."""
    return context.complete or unreferenced(context) is not None


@fact
def unreferenced(context: RulesetContext) -> Chain | None:
    """KUBE-SERVICES of nat if its listing says that no rule leads to it, and the text shows none; else None."""
    chain = context.chain("nat", SERVICES)
    if chain is None or chain.line is None or not chain.rules:
        return None
    if "(0 references)" not in " ".join(context.text.line(chain.line).split()):
        return None
    graph = context.graph("nat")
    return None if graph is not None and graph.is_called(SERVICES) else chain
