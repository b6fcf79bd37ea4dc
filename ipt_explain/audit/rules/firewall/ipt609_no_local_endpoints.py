"""Connections from outside are dropped: external traffic policy Local, but no endpoint on this node.

What it checks:
    Services whose connections from outside are dropped because the node has no local endpoint are listed in one note
    per dump.

Why it matters:
    This is what externalTrafficPolicy Local means: the load balancer's health check sees that this node has no endpoint
    and sends no traffic here. It is a problem only if clients use this node anyway, or if a pod of the Service does run
    here: then kube-proxy and kubelet disagree about the node's name (--hostname-override).

Example:
    -A KUBE-NODEPORTS -p tcp -m comment --comment "default/nginx-ext:" -m tcp --dport 32204
      -j KUBE-XLB-EKVVP2WDYGDAO7VF
    -A KUBE-XLB-EKVVP2WDYGDAO7VF -m comment --comment "default/nginx-ext: has no local endpoints" -j KUBE-MARK-DROP

How to fix:
    Send clients to nodes with endpoints, or set externalTrafficPolicy: Cluster. If a pod runs here, compare the node's
    name in `kubectl get endpointslices -o yaml` with kube-proxy's --hostname-override.

When to ignore:
    On nodes that no client uses.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.filter.refusals import unserved
from ipt_explain.services.ports import Frontend, FrontendKind, FrontendVerdict, ServicePort
from ipt_explain.words import front, listed

_NAMED = 5


@rule("IPT609", "no-local-endpoints", Severity.INFO, evidence=unserved, since=4)
def no_local_endpoints(context: RulesetContext) -> Faults:
    """At most one fault a ruleset, at the first such frontend."""
    found = [each for each in unserved(context) if _is_dropped(each[1])]
    if found:
        first = found[0][1]
        labels = list(dict.fromkeys(each.label for each, _ in found))
        yield Fault(
            f"{listed(labels, _NAMED)} {'has' if len(labels) == 1 else 'have'} external traffic policy Local and no "
            f"endpoint on this node: {_where(found)} dropped here",
            "Send clients to nodes with endpoints. If a pod of the Service runs here, compare kube-proxy's "
            "--hostname-override with the node's name in the EndpointSlices.",
            at_rule(first.rule),
            services=tuple(labels),
            related=tuple(frontend.rule.line for _, frontend in found[1:]),
        )


def _is_dropped(frontend: Frontend) -> bool:
    return frontend.verdict is FrontendVerdict.DROP and frontend.kind is not FrontendKind.CLUSTER_IP


def _where(found: list[tuple[ServicePort, Frontend]]) -> str:
    if len(found) > 1:
        return f"connections from outside to {len(found)} addresses and node ports are"
    frontend = found[0][1]
    return f"connections from outside to {front(frontend.address, frontend.port)} are"
