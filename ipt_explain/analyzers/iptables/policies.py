"""A service port's traffic policies, as far as its frontends and rules tell, and its health check node port, which goes
with external policy Local.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipt_explain.analyzers.iptables.frontends import FrontendRules
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import NODE_PORTS, CommentKind, read_comment
from ipt_explain.model import Ruleset
from ipt_explain.services.evidence import rules_of
from ipt_explain.services.ports import FrontendKind, Scope, TrafficPolicy


def internal_policy(cluster_ip: FrontendRules | None, single: bool) -> TrafficPolicy | None:
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


def external_policy(fronts: Sequence[FrontendRules]) -> TrafficPolicy | None:
    """The external traffic policy, from all frontends but the ClusterIP."""
    policy = None
    for each in fronts:
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
