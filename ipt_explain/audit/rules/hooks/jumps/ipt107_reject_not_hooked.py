"""Packets do not reach kube-proxy's rules in the filter table: a hook is missing.

What it checks:
    If filter has kube-proxy's chains, the built-in chains jump to them as that release writes it: OUTPUT and (1.14 and
    later) FORWARD to KUBE-SERVICES, INPUT and (1.20 and later) FORWARD to KUBE-EXTERNAL-SERVICES, INPUT to
    KUBE-SERVICES (1.14 to 1.19) and to KUBE-NODEPORTS (1.21 and later), FORWARD to KUBE-FORWARD. In IPVS mode the hooks
    are those of KUBE-NODE-PORT, KUBE-IPVS-FILTER and KUBE-IPVS-OUT-FILTER.

Why it matters:
    These chains refuse connections to a Service without endpoints with an ICMP error. Without the hook, clients wait
    for a timeout instead of failing at once, and a node port without endpoints reaches whatever listens on that port of
    the node. Without KUBE-FORWARD, a node whose FORWARD policy is DROP does not forward Service traffic.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :KUBE-SERVICES - [0:0]
    -A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A KUBE-SERVICES -d 10.96.0.24/32 -p tcp -m comment --comment "shop/legacy has no endpoints" -m tcp --dport 80
      -j REJECT --reject-with icmp-port-unreachable
    COMMIT

How to fix:
    Restart kube-proxy on the node: at start it writes all of its hooks.

When to ignore:
    When another program filters Service traffic and these chains are leftovers.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import EXTERNAL_SERVICES, FIREWALL, FORWARD, NODE_PORTS, PROXY_FIREWALL, SERVICES
from ipt_explain.audit.authoring import RESTART_HOOKS, Fault, Faults, RulesetContext, Severity, rule
from ipt_explain.audit.evidence.hooks.hook_states import HookState, KubeHook, missing_hooks

_EFFECTS = {
    ("OUTPUT", SERVICES): "the node's own connections to Services without endpoints hang instead of failing at once",
    ("FORWARD", SERVICES): "pods' connections to Services without endpoints hang instead of failing at once",
    ("INPUT", SERVICES): "connections to Services without endpoints on the node's own addresses are not refused",
    ("INPUT", EXTERNAL_SERVICES): "connections to node ports without endpoints are not refused: they reach whatever "
    "listens on the node itself",
    ("FORWARD", EXTERNAL_SERVICES): "connections to external addresses without endpoints hang instead of failing at "
    "once",
    ("INPUT", NODE_PORTS): "load balancers' health checks depend on the rest of INPUT; if that drops them, the node "
    "counts as down",
    ("FORWARD", FORWARD): "nothing drops INVALID packets, and if FORWARD's policy is DROP, Service traffic is not "
    "forwarded",
    ("INPUT", "KUBE-NODE-PORT"): "load balancers' health checks depend on the rest of INPUT",
    ("INPUT", "KUBE-IPVS-FILTER"): "every port that listens on the node can be reached by any Service address",
    ("OUTPUT", "KUBE-IPVS-OUT-FILTER"): "load balancer source ranges are not enforced for the node itself",
}
_ELSEWHERE = (FIREWALL, PROXY_FIREWALL)


@rule("IPT107", "reject-not-hooked", Severity.WARNING, evidence=missing_hooks, reads_absence=True)
def reject_not_hooked(context: RulesetContext) -> Faults:
    """One fault for each missing hook."""
    for state in missing_hooks(context):
        hook = state.hook
        if hook.table == "filter" and hook.chain not in _ELSEWHERE:
            yield _fault(state, hook)


def _fault(state: HookState, hook: KubeHook) -> Fault:
    return Fault(
        f"filter {hook.built_in} does not jump to {hook.chain}: {_EFFECTS[hook.built_in, hook.chain]}",
        RESTART_HOOKS,
        state.lacking,
        related=state.unreached,
        key=hook.chain,
    )
