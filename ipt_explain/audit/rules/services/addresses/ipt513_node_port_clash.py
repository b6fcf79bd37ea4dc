"""A node port is used by something else on the node.

What it checks:
    No node port is a host port of a pod on all addresses (chains of the CNI portmap plugin, of dockershim, of Docker),
    the health check port of a Service, or a port that the node itself needs: SSH, the API server, etcd, kubelet.

Why it matters:
    Whichever rule comes first gets all connections: the Service or the other program is not reached at this node. With
    a port of the node itself, nobody gets in any more.

Example:
    -A KUBE-NODEPORTS -p tcp -m comment --comment "shop/web" -m tcp --dport 30080 -j KUBE-EXT-E3PXEPMWAWIUT6ZV
    -A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name" -m multiport --dports 30080 -j CNI-DN-0123456789abc

How to fix:
    Give the Service another node port, or the pod another host port.

When to ignore:
    Where the other program listens on another protocol or never on this node's addresses.
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


@rule("IPT513", "node-port-clash", Severity.WARNING, about=("KUBE-SERVICES", "KUBE-NODEPORTS"))
def node_port_clash(context: RulesetContext) -> Faults:
    """One fault for each such node port."""
    fronts = front_rules(context)
    for clash in host_port_clashes(context.ruleset, fronts):
        yield Fault(
            f"node port {clash.port}/{clash.protocol} is a host port too ({clash.other.chain}): only the one whose "
            "rules come first gets connections",
            _FIX,
            at_rule(clash.rule),
            related=(clash.other.line,),
        )
    for port, what in _NODE_ITSELF.items():
        rule_there = fronts.node_ports.get(("tcp", port))
        if rule_there is not None:
            yield Fault(
                f"node port {port} is that of {what}: connections to the node's own addresses go to the Service "
                "instead",
                _FIX,
                at_rule(rule_there),
            )
    if fronts.node_ports:
        for service in context.services:
            health = service.health_check_node_port
            if health is not None and ("tcp", str(health)) in fronts.node_ports:
                clashing = fronts.node_ports["tcp", str(health)]
                yield Fault(
                    f"node port {health} is the health check port of {service.label} too: load balancers ask the "
                    "Service's pods instead of kube-proxy and consider this node unhealthy",
                    _FIX,
                    at_rule(clashing),
                    key=service.label,
                )
