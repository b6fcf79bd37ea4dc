"""Addresses of Services that are refused, closed to some clients, or lead to no endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipt_explain.analyzers.names import EXTERNAL_SERVICES, SERVICES
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.marks.cluster_ip_marks import Address, address_of
from ipt_explain.audit.fact import fact
from ipt_explain.model import Rule
from ipt_explain.services.ports import Frontend, FrontendKind, FrontendVerdict, ServicePort


@fact
def unserved(context: RulesetContext) -> Sequence[tuple[ServicePort, Frontend]]:
    """The frontends that lead to no endpoint."""
    return [each for each in context.frontends if each[1].verdict is not FrontendVerdict.BALANCE]


@fact
def exposed(context: RulesetContext) -> Sequence[tuple[ServicePort, Frontend]]:
    """The frontends for clients outside the cluster."""
    return [each for each in context.frontends if each[1].kind is not FrontendKind.CLUSTER_IP]


@fact
def refusals(context: RulesetContext) -> Mapping[Address, Rule]:
    """The refusals of Services without endpoints, by address and port."""
    return refusals_in(context, SERVICES, EXTERNAL_SERVICES)


def refusals_in(context: RulesetContext, *chains: str) -> dict[Address, Rule]:
    """The rules of chains that refuse or drop all connections to one address and port, by address and port."""
    found: dict[Address, Rule] = {}
    for name in chains:
        for rule in context.ruleset.rules("filter", name):
            plan = context.plans[rule.shape]
            if rule.target in ("REJECT", "DROP") and not plan.other and not plan.singles_out_sources:
                address = address_of(plan, rule)
                if address is not None:
                    found.setdefault(address, rule)
    return found
