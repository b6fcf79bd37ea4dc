"""Kube-proxy's hooks, and the list behind them."""

from __future__ import annotations

from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.hooks.hook_states import HookState, hook_states
from ipt_explain.audit.evidence.hooks.services_chain import ServicesChain, read_services_chain
from ipt_explain.audit.evidence.node.facts import writer
from ipt_explain.audit.fact import fact
from ipt_explain.services.ports import ProxyMode


@fact
def hooks(context: RulesetContext) -> tuple[HookState, ...]:
    """The hooks of a ruleset, those that are there and those that should be."""

    def reached(table: str, chain: str) -> frozenset[str]:
        graph = context.graph(table)
        return frozenset() if graph is None else graph.reachable_from(chain)

    return hook_states(context.ruleset, writer(context), reached)


@fact
def services_chain(context: RulesetContext) -> ServicesChain:
    """nat KUBE-SERVICES as kube-proxy's iptables mode writes it; nothing of it in ipvs mode, which writes it
    otherwise.
    """
    return ServicesChain() if context.facts.mode is ProxyMode.IPVS else read_services_chain(context.ruleset)
