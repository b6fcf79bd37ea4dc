"""Endpoints on host networks: whether one is on this node decides between the chains INPUT and FORWARD."""

from __future__ import annotations

from ipt_explain.analyzers.fates.vantages import surroundings
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.iptables.services import ServiceReader
from ipt_explain.analyzers.rulesets import stopping
from ipt_explain.model import Dump, Family
from ipt_explain.netfilter.walk.stages import NodeRules


def doubtful_addresses(dump: Dump, family: Family, node: NodeRules) -> frozenset[int]:
    """Endpoints' addresses for which explain also asks whether they are the node's; none if rules stop nothing."""
    if not any(stopping(node.rulesets)):
        return frozenset()
    plans = Plans()
    services = [service for ruleset in node.rulesets for service in ServiceReader(ruleset, plans, True).read()]
    return surroundings(dump, family, services, node).doubtful if services else frozenset()
