"""Rules of filter that accept connections before kube-proxy refuses them for lack of endpoints."""

from __future__ import annotations

from ipt_explain.audit.context import RulesetContext
from ipt_explain.model import Rule
from ipt_explain.netfilter.header import parse_address, protocol_number
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.walk.journey import Journey
from ipt_explain.netfilter.walk.path import Step
from ipt_explain.services.fates import Vantage
from ipt_explain.services.ports import ServicePort


def bypassing(context: RulesetContext, service: ServicePort) -> Rule | None:
    """The rule that accepts connections from pods to a ClusterIP that kube-proxy would refuse; None if none does."""
    if service.cluster_ip is None:
        return None
    try:
        heading = Heading(parse_address(service.cluster_ip), service.port)
    except ValueError:
        return None
    node, surroundings = context.around
    journey = Journey(node, [heading])
    journey.begin(surroundings.departure(Vantage.POD, protocol_number(service.protocol) or 0))
    for _, packets in journey.ends():
        path = packets.path(0)
        for step in () if path is None else path.steps():
            rule = step.rule if isinstance(step, Step) and step.table == "filter" else None
            if rule is not None and rule.target == "ACCEPT":
                return rule
    return None
