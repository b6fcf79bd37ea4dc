"""No node port works: KUBE-NODEPORTS has rules, but KUBE-SERVICES does not lead to it.

What it checks:
    If nat KUBE-NODEPORTS has rules, nat KUBE-SERVICES jumps to it. Restore input is checked if it has both chains.

Why it matters:
    Connections to node ports reach no Service, and neither do those through cloud load balancers that send to node
    ports.

Example:
    *nat
    :KUBE-NODEPORTS - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-7AZ64RN3BZ2QJCPH - [0:0]
    -A KUBE-NODEPORTS -p tcp -m comment --comment "default/web" -m tcp --dport 30025 -j KUBE-SVC-7AZ64RN3BZ2QJCPH
    -A KUBE-SERVICES -d 10.96.0.34/32 -p tcp -m comment --comment "default/web cluster IP" -m tcp --dport 80
      -j KUBE-SVC-7AZ64RN3BZ2QJCPH
    COMMIT

How to fix:
    Restart kube-proxy on the node. If the jump does not come back, compare --nodeport-addresses with the node's
    addresses: if none matches, kube-proxy writes no jump.

When to ignore:
    When --nodeport-addresses keeps node ports off this node on purpose.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import NODE_PORTS
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, rule
from ipt_explain.audit.evidence.hooks.services_chain import services_chain
from ipt_explain.words import counted


@rule("IPT113", "nodeports-unreachable", Severity.ERROR, about=("KUBE-NODEPORTS",))
def nodeports_unreachable(context: RulesetContext) -> Faults:
    """At most one fault, at KUBE-SERVICES."""
    found, ports = services_chain(context), context.chain("nat", NODE_PORTS)
    if found.chain is None or ports is None or not ports.rules or found.node_ports:
        return
    if not context.knows_chain(found.chain) or not found.chain.layout.shapes:
        return
    graph = context.graph("nat")
    if graph is not None and graph.is_called(NODE_PORTS):
        return
    yield Fault(
        f"KUBE-SERVICES does not jump to KUBE-NODEPORTS: no packet reaches its {counted(len(ports.rules), 'rule')}, "
        "and no node port works",
        "Restart kube-proxy on this node; if the jump stays away, check that --nodeport-addresses matches a node "
        "address.",
        at_chain(found.chain),
        related=() if ports.line is None else (ports.line,),
    )
