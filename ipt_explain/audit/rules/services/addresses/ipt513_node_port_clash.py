"""Something else on the node uses a Service's node port.

What it checks:
    No node port is also a pod's host port on all addresses (chains of the CNI portmap plugin, dockershim or Docker), a
    Service's health check port, or a port that the node itself needs: SSH, the API server, etcd, kubelet.

Why it matters:
    Whichever rule comes first gets all connections; the other, Service or program, cannot be reached on this node. If
    the port is one of the node's own, nobody can log in or reach that daemon any more.

Example:
    -A KUBE-NODEPORTS -p tcp -m comment --comment "shop/web" -m tcp --dport 30080 -j KUBE-EXT-E3PXEPMWAWIUT6ZV
    -A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name" -m multiport --dports 30080 -j CNI-DN-0123456789abc

How to fix:
    Give the Service another node port, or the pod another host port.

When to ignore:
    When the other program uses another protocol, or never listens on this node's addresses.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.services.front_rules import front_rules
from ipt_explain.audit.evidence.services.overlaps import host_port_clashes

_NODE_ITSELF = {
    "22": "SSH",
    "2379": "etcd",
    "2380": "etcd",
    "6443": "the API server",
    "10250": "kubelet",
}
_FIX = "Give the Service another node port, or the other program another port."


@rule("IPT513", "node-port-clash", Severity.WARNING, evidence=(front_rules, "node_ports"))
def node_port_clash(context: RulesetContext) -> Faults:
    """One fault for each such node port."""
    fronts = front_rules(context)
    for clash in host_port_clashes(context.ruleset, fronts):
        yield Fault(
            f"node port {clash.port}/{clash.protocol} is also a host port ({clash.other.chain}): whichever rule comes "
            "first gets all connections",
            _FIX,
            at_rule(clash.rule),
            related=(clash.other.line,),
        )
    for port, what in _NODE_ITSELF.items():
        rule_there = fronts.node_ports.get(("tcp", port))
        if rule_there is not None:
            yield Fault(
                f"node port {port} is also {what}'s: connections to the node's own addresses go to the Service instead",
                _FIX,
                at_rule(rule_there),
            )
    for service in context.services:
        health = service.health_check_node_port
        clashing = fronts.node_ports.get(("tcp", str(health)))
        if clashing is not None:
            yield Fault(
                f"node port {health} is also {service.label}'s health check port: load balancers ask the Service's "
                "pods instead of kube-proxy and consider this node unhealthy",
                _FIX,
                at_rule(clashing),
                key=service.label,
            )
