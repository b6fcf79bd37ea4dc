"""Which rule leads packets to an endpoint of another Service: the DNAT there does its own work."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.iptables.plans import plan_of
from ipt_explain.analyzers.names import NODE_PORTS, SERVICES, ChainRole, role_of
from ipt_explain.model import Rule
from ipt_explain.netfilter.walk.path import AnyStep, Step
from ipt_explain.words import without_prefix


def misleading(steps: Sequence[AnyStep], last: AnyStep) -> AnyStep:
    """The rule that led packets into a Service's chains although it is not for one address and port; the `last` if
    there is none, or if that is not an endpoint's DNAT."""
    if not isinstance(last, Step) or last.rule is None or last.rule.target != "DNAT":
        return last
    if role_of(last.chain.name) is not ChainRole.ENDPOINT:
        return last
    before = [step for step in steps[: steps.index(last)] if isinstance(step, Step) and step.table == "nat"]
    for step in reversed(before):
        if step.into is not None and role_of(step.into.name) and role_of(step.chain.name) is None:
            return last if step.rule is None or _is_precise(step.rule) else step
    return last


def _is_precise(rule: Rule) -> bool:
    """Whether a rule is for one address and port, as kube-proxy writes it; node ports are for all addresses."""
    plan = plan_of(rule.shape)
    port, address = plan.destination_port, plan.destination
    if rule.chain not in (SERVICES, NODE_PORTS) or port is None or port.negated:
        return False
    if address is None:
        return rule.chain == NODE_PORTS
    return not address.negated and "/" not in without_prefix(address.at(rule))
