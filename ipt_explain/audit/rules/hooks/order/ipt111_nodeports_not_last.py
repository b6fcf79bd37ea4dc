"""Services come after the jump to KUBE-NODEPORTS, which must be last in KUBE-SERVICES.

What it checks:
    In nat KUBE-SERVICES no rule that leads to a Service comes after a jump to KUBE-NODEPORTS. The chain may end with
    several such jumps, one for each address of --nodeport-addresses.

Why it matters:
    An external or load balancer address that the node itself has is local. If its port is also a Service's node port,
    the packet is treated as node port traffic and reaches the wrong Service. kube-proxy never writes rules after this
    jump, so something else did, and they disappear at the next sync. Rules for ClusterIPs, which are not the node's own
    addresses, lose nothing there; that is a warning.

Example:
    -A KUBE-SERVICES -m comment
      --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype
      --dst-type LOCAL -j KUBE-NODEPORTS
    -A KUBE-SERVICES -d 203.0.113.10/32 -p tcp -m comment --comment "default/kubernetes:https external IP" -m tcp
      --dport 443 -j KUBE-EXT-NPX46M4PTMTKRN6Y

How to fix:
    Restart kube-proxy on the node: it rewrites the chain. Do not append rules of your own to KUBE-SERVICES.

When to ignore:
    Never: the next sync changes the rules anyway.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, restart, rule
from ipt_explain.audit.evidence.hooks.services_chain import services_chain
from ipt_explain.model import Rule


@rule("IPT111", "nodeports-not-last", Severity.ERROR, evidence=(services_chain, "behind_node_ports"))
def nodeports_not_last(context: RulesetContext) -> Faults:
    """At most one fault, at the first jump."""
    found = services_chain(context)
    if found.behind_node_ports:
        count = len(found.behind_node_ports)
        behind = "a rule that leads to a Service comes" if count == 1 else f"{count} rules that lead to Services come"
        first = found.behind_node_ports[0]
        harmless = not found.unguarded_node_ports and _are_for_cluster_ips(context, found.behind_node_ports)
        effect = (
            "this costs no connections, as ClusterIPs are not the node's own addresses, but kube-proxy writes it last"
            if harmless
            else "on the node's own addresses, node ports with the same number take their connections"
        )
        yield Fault(
            f"{behind} after the jump to KUBE-NODEPORTS: {effect}",
            restart("rewrites the chain, with this jump last"),
            at_rule(found.node_ports[0]),
            service=context.service_of(first.target or ""),
            related=tuple(behind_rule.line for behind_rule in found.behind_node_ports),
            severity=Severity.WARNING if harmless else None,
        )


def _are_for_cluster_ips(context: RulesetContext, rules: Sequence[Rule]) -> bool:
    """Whether all rules are for ClusterIPs, which only nodes in IPVS mode have as their own addresses."""
    cluster_ips = {service.cluster_ip for service in context.services}
    return all((rule.core("-d") or "").partition("/")[0] in cluster_ips for rule in rules)
