"""The filter table's refusals: the addresses of Services without endpoints."""

from __future__ import annotations

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import EXTERNAL_SERVICES, SERVICES
from ipt_explain.model import Rule, Ruleset
from ipt_explain.words.addresses import without_prefix


def read_refusals(ruleset: Ruleset) -> dict[tuple[str | None, str, str], Rule]:
    """The REJECT and DROP rules of kube-proxy by address (None for a node port), protocol and port."""
    plans = Plans()
    found: dict[tuple[str | None, str, str], Rule] = {}
    for name in (SERVICES, EXTERNAL_SERVICES):
        chain = ruleset.chain("filter", name)
        for rule in chain.rules if chain is not None else ():
            plan = plans[rule.shape]
            if plan.target not in ("REJECT", "DROP") or plan.protocol is None or plan.destination_port is None:
                continue
            host = None
            if plan.destination is not None:
                host = without_prefix(plan.destination.of(rule))
            found.setdefault((host, plan.protocol.of(rule), plan.destination_port.of(rule)), rule)
    return found
