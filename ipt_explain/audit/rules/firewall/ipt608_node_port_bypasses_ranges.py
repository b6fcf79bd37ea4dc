"""Source ranges protect the load balancer's address, but not the node port of the same Service.

What it checks:
    Services with loadBalancerSourceRanges that also have a node port are listed in one note per dump.

Why it matters:
    kube-proxy applies the ranges only to load balancer addresses. Anyone who can reach the node can use the node port,
    whatever the ranges. Every release of kube-proxy works like this.

Example:
    -A KUBE-SERVICES -d 203.0.113.9/32 -p tcp -m comment --comment "shop/cart:http loadbalancer IP" -m tcp --dport 80
      -j KUBE-FW-XPGD46QRK7WJZT7O
    -A KUBE-NODEPORTS -p tcp -m comment --comment "shop/cart:http" -m tcp --dport 30080 -j KUBE-EXT-XPGD46QRK7WJZT7O
    -A KUBE-FW-XPGD46QRK7WJZT7O -s 198.51.100.0/24 -m comment --comment "shop/cart:http loadbalancer IP"
      -j KUBE-EXT-XPGD46QRK7WJZT7O

How to fix:
    Set allocateLoadBalancerNodePorts: false if the load balancer does not need node ports, or keep clients from the
    nodes' addresses with a firewall in front of them.

When to ignore:
    When clients cannot reach the nodes directly.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.filter.source_ranges import ranged_frontends
from ipt_explain.services.ports import FrontendKind
from ipt_explain.words import and_more


@rule("IPT608", "node-port-bypasses-ranges", Severity.INFO, about=("KUBE-FW-",))
def node_port_bypasses_ranges(context: RulesetContext) -> Faults:
    """At most one fault a ruleset, at the first such node port."""
    ports = {
        service.label: frontend
        for service, _ in ranged_frontends(context)
        for frontend in service.frontends
        if frontend.kind is FrontendKind.NODE_PORT
    }
    if ports:
        (label, first), *others = ports.items()
        yield Fault(
            f"{label}{and_more(len(others), 'Service')}: node port {first.port} is open to clients that the load "
            "balancer's source ranges keep out",
            "Set allocateLoadBalancerNodePorts: false, or keep such clients from the nodes' own addresses.",
            at_rule(first.rule),
            services=tuple(ports),
            related=tuple(other.rule.line for _, other in others),
        )
