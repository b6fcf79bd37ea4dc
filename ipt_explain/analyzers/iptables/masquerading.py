"""Which connections to a service port its own rules mark for masquerading."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ipt_explain.analyzers.iptables.balancing import Spread
from ipt_explain.analyzers.iptables.frontends import FrontendRules
from ipt_explain.analyzers.iptables.plans import Plans, RulePlan
from ipt_explain.columns import column
from ipt_explain.model import Extent
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.ports import Endpoint, Masquerade


def masquerade(
    cluster_ip: FrontendRules | None,
    cluster: Spread | None,
    endpoints: Sequence[Endpoint],
    plans: Plans,
    all_shown: bool,
) -> Masquerade:
    """How a service port's connections are masqueraded: from its endpoints, and from the ClusterIP's mark rules, next
    to the frontend up to 1.21, in its balancer from 1.22 on. `all_shown`: the text has all rules for ClusterIPs that
    exist.
    """
    states = column(endpoints, "hairpin")
    hairpin = None if not states or None in states else all(states)
    always: bool | None = False if _shown(cluster_ip, cluster, all_shown) else None
    off_cluster = None
    for rule in () if cluster_ip is None else (*cluster_ip.marks, *_marks_of(cluster, cluster_ip.host, plans)):
        plan = plans[rule.shape]
        if not plan.singles_out_sources:
            always = True
        elif off_cluster is None:
            off_cluster = _source_condition(rule, plan)
    return _masquerade(hairpin, always, off_cluster)


_masquerade = lru_cache(maxsize=256)(Masquerade)
"""Most Services of a node have the same."""


def _shown(cluster_ip: FrontendRules | None, cluster: Spread | None, all_shown: bool) -> bool:
    """Whether the text has all rules that may mark connections to the ClusterIP."""
    if cluster_ip is None:
        return all_shown
    chain = None if cluster is None else cluster.chain
    shown = chain is None or chain.extent is Extent.WHOLE
    return shown and cluster_ip.evidence.chain.extent is Extent.WHOLE


def _marks_of(spread: Spread | None, address: str | None, plans: Plans) -> Sequence[Evidence]:
    """A balancer's rules that mark connections to an address. In 1.22 and 1.23 it also has those for external addresses
    and the node port."""
    marks: list[Evidence] = []
    for rule in () if spread is None else spread.marks:
        destination = plans[rule.shape].destination
        if destination is not None and destination.at(rule).partition("/")[0] == address:
            marks.append(rule)
    return marks


def _source_condition(rule: Evidence, plan: RulePlan) -> str:
    if plan.source is not None:
        value = rule.word(plan.source.slot)
        return value if plan.source.negated else f"-s {value}"
    parts = [(plan.in_interface, "-i"), (plan.mark, "-m mark --mark"), (plan.source_type, "-m addrtype --src-type")]
    words = [
        f"{'! ' if operand.negated else ''}{name} {operand.at(rule)}" for operand, name in parts if operand is not None
    ]
    return " ".join(words)
