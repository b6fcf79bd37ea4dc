"""The node has rules of two kube-proxy modes.

What it checks:
    A node with services in iptables mode (KUBE-SVC chains) has no rules of ipvs mode (KUBE-NODE-PORT,
    KUBE-LOAD-BALANCER) and none of the userspace mode (KUBE-PORTALS-CONTAINER and its like) beside them. OpenShift's
    hybrid proxy, which uses the userspace mode for idle services, is left out.

Why it matters:
    They are left from a change of mode without `kube-proxy --cleanup`. Rules of ipvs mode accept service traffic
    before it reaches the endpoints; rules of the userspace mode send it to ports that nobody listens on, and clients
    are refused.

Example:
    -A PREROUTING -m comment --comment "handle ClusterIPs; NOTE: this must be before the NodePort rules"
      -j KUBE-PORTALS-CONTAINER
    -A KUBE-PORTALS-CONTAINER -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https"
      -m tcp --dport 443 -j REDIRECT --to-ports 41235
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP"
      -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/kubernetes:https" -j KUBE-SEP-AAAAAAAAAAAAAAAA

How to fix:
    Run `kube-proxy --cleanup` of the version and mode that left them, or reboot the node.

When to ignore:
    On nodes where both are known to run, as during a migration.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.node.modes import leftovers


@rule("IPT702", "two-proxy-modes", Severity.WARNING)
def two_proxy_modes(context: RulesetContext) -> Faults:
    """One fault for each mode whose rules are left, at the first of them."""
    for left in leftovers(context.ruleset):
        names = ", ".join(chain.name for chain in left.chains)
        yield Fault(
            f"rules of kube-proxy's {left.mode} mode ({names}) exist beside those of iptables mode: {left.effect}",
            "Run kube-proxy --cleanup of the version that left them, or reboot the node.",
            at_rule(left.chains[0].rules[0]),
            related=tuple(chain.rules[0].line for chain in left.chains[1:]),
            severity=Severity.ERROR if left.misroutes else None,
            key=left.mode,
        )
