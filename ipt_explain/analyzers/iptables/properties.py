"""What a service port's frontends and rules tell of it: traffic policies, health check node ports, masquerading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from ipt_explain.analyzers.iptables.balancing import Spread
from ipt_explain.analyzers.iptables.frontends import Entry
from ipt_explain.analyzers.iptables.plans import Plans, RulePlan
from ipt_explain.analyzers.names import NODE_PORTS, CommentKind, read_comment
from ipt_explain.model import Extent, Ruleset
from ipt_explain.services.columns import column
from ipt_explain.services.evidence import Evidence, rules_of
from ipt_explain.services.ports import Endpoint, FrontendKind, Masquerade, Scope, TrafficPolicy


def internal_policy(cluster_ip: Entry | None, single: bool) -> TrafficPolicy | None:
    """The internal traffic policy. `single`: in the release that wrote the rules, a ClusterIP without a KUBE-SVL chain
    has policy Cluster; from 1.21 to 1.23 it may have policy Local all the same.
    """
    if cluster_ip is None:
        return None
    spread = cluster_ip.route.spread
    if spread is not None and spread.balancer.scope is Scope.CLUSTER:
        return TrafficPolicy.CLUSTER if single else None
    local = spread is not None or cluster_ip.refusal_kind is CommentKind.NO_LOCAL_ENDPOINTS
    return TrafficPolicy.LOCAL if local else None


def external_policy(entries: Sequence[Entry]) -> TrafficPolicy | None:
    """The external traffic policy, from all frontends but the ClusterIP."""
    policy = None
    for each in entries:
        if each.kind is FrontendKind.CLUSTER_IP:
            continue
        if each.refusal_kind is CommentKind.NO_LOCAL_ENDPOINTS or each.route.local:
            return TrafficPolicy.LOCAL
        # Up to 1.19 an external IP led straight to all endpoints, whatever the policy said.
        says_nothing = each.kind is FrontendKind.EXTERNAL_IP and not each.route.has_policy
        if each.route.spread is not None and not says_nothing:
            policy = TrafficPolicy.CLUSTER
    return policy


def health_check_ports(ruleset: Ruleset, plans: Plans) -> Mapping[tuple[str | None, ...], int]:
    """Health check node ports by namespace, name and port name; kube-proxy 1.21 and later accept them in
    filter KUBE-NODEPORTS.
    """
    chain = ruleset.chain("filter", NODE_PORTS)
    ports: dict[tuple[str | None, ...], int] = {}
    for rule in rules_of(chain):
        plan = plans[rule.shape]
        comment = plan.comment_of(rule)
        if comment is None or plan.destination_port is None:
            continue
        name, kind = read_comment(comment)
        port = plan.destination_port.at(rule)
        if name is not None and kind is CommentKind.HEALTH_CHECK and port.isdecimal():
            ports[name.namespace, name.name, name.port] = int(port)
    return ports


def masquerade(
    cluster_ip: Entry | None, cluster: Spread | None, endpoints: Sequence[Endpoint], plans: Plans, all_shown: bool
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


def _shown(cluster_ip: Entry | None, cluster: Spread | None, all_shown: bool) -> bool:
    """Whether the text has all rules that may mark connections to the ClusterIP."""
    if cluster_ip is None:
        return all_shown
    chain = None if cluster is None else cluster.chain
    shown = chain is None or chain.extent is Extent.WHOLE
    return shown and cluster_ip.evidence.chain.extent is Extent.WHOLE


def _marks_of(spread: Spread | None, address: str | None, plans: Plans) -> Sequence[Evidence]:
    """A balancer's rules that mark connections to an address: 1.22 and 1.23 keep those of external addresses and of the
    node port there, too.
    """
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
