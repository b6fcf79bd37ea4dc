"""When connections to a service port are masqueraded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipt_explain.analyzers.iptables.balancing import Spread
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.iptables.reach import Reached
from ipt_explain.model import Extent
from ipt_explain.services.columns import column
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.ports import Endpoint, Masquerade


def masquerade(
    cluster_ip: Reached | None, cluster: Spread | None, endpoints: Sequence[Endpoint], plans: Plans, all_shown: bool
) -> Masquerade:
    """How a service port's connections are masqueraded: from its endpoints, and from the ClusterIP's mark rules.
    `all_shown`: the text has all rules for ClusterIPs that exist.
    """
    states = column(endpoints, "hairpin")
    hairpin = None if not states or None in states else all(states)
    always: bool | None = False if _shown(cluster_ip, cluster, all_shown) else None
    off_cluster = None
    for rule in _cluster_ip_marks(cluster_ip, cluster, plans):
        if not plans[rule.shape].singles_out_sources:
            always = True
        elif off_cluster is None:
            off_cluster = _source_condition(rule, plans)
    return Masquerade(hairpin, always, off_cluster)


def _shown(cluster_ip: Reached | None, cluster: Spread | None, all_shown: bool) -> bool:
    """Whether the text has all rules that may mark connections to the ClusterIP."""
    if cluster_ip is None:
        return all_shown
    chain = None if cluster is None else cluster.chain
    shown = chain is None or chain.extent is Extent.WHOLE
    return shown and cluster_ip.entry.evidence.chain.extent is Extent.WHOLE


def _cluster_ip_marks(cluster_ip: Reached | None, cluster: Spread | None, plans: Plans) -> Iterable[Evidence]:
    """The rules that mark ClusterIP connections: next to the frontend up to 1.21, in its balancer from 1.22 on."""
    if cluster_ip is None:
        return
    yield from cluster_ip.entry.marks
    for rule in cluster.evidence(cluster.marks) if cluster is not None else ():
        destination = plans[rule.shape].destination
        # 1.22 and 1.23 keep the external addresses' marks and the node port's here too.
        if destination is not None and destination.at(rule).partition("/")[0] == cluster_ip.frontend.address:
            yield rule


def _source_condition(rule: Evidence, plans: Plans) -> str:
    plan = plans[rule.shape]
    if plan.source is not None:
        value = plan.source.at(rule)
        return value if plan.source.negated else f"-s {value}"
    parts = [(plan.in_interface, "-i"), (plan.mark, "-m mark --mark"), (plan.source_type, "-m addrtype --src-type")]
    words = [
        f"{'! ' if operand.negated else ''}{name} {operand.at(rule)}" for operand, name in parts if operand is not None
    ]
    return " ".join(words)
