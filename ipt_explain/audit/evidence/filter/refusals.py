"""The filter table's refusals: addresses of Services without endpoints, or closed to some clients."""

from __future__ import annotations

from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.marks.cluster_ip_marks import Address, address_of
from ipt_explain.model import Rule


def refusals_in(context: RulesetContext, *chains: str) -> dict[Address, Rule]:
    """The rules of chains that refuse or drop all connections to one address and port, by address and port."""
    found: dict[Address, Rule] = {}
    for name in chains:
        chain = context.chain("filter", name)
        for rule in chain.rules if chain is not None else ():
            plan = context.plans[rule.shape]
            if rule.target in ("REJECT", "DROP") and not plan.other and not plan.singles_out_sources:
                address = address_of(plan, rule)
                if address is not None:
                    found.setdefault(address, rule)
    return found
