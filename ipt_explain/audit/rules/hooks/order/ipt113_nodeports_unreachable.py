"""No node port works: KUBE-SERVICES does not lead to KUBE-NODEPORTS, or that chain was emptied.

What it checks:
    If nat KUBE-NODEPORTS has rules, nat KUBE-SERVICES jumps to it. Restore input is checked if it has both chains. If
    KUBE-NODEPORTS has no rules, nothing else shows that Services have node ports, such as chains for outside clients
    (KUBE-EXT, KUBE-XLB) that nothing leads to, marks for node ports in Services' chains (1.22 and 1.23), or load
    balancers (up to 1.19).

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
from ipt_explain.audit.authoring import RESTART_RULES, Fault, Faults, RulesetContext, Severity, at_chain, rule
from ipt_explain.audit.evidence.hooks.lost_node_ports import LostNodePorts, lost_node_ports
from ipt_explain.audit.evidence.hooks.services_chain import services_chain
from ipt_explain.words import counted, within

_NAMED = 3


@rule("IPT113", "nodeports-unreachable", Severity.ERROR, about=("KUBE-NODEPORTS",))
def nodeports_unreachable(context: RulesetContext) -> Faults:
    """At most one fault, at the chain that lacks rules."""
    lost = lost_node_ports(context)
    if lost is not None:
        yield _emptied(lost)
        return
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


def _emptied(lost: LostNodePorts) -> Fault:
    one = len(lost.services) == 1
    return Fault(
        f"KUBE-NODEPORTS has no rules, but the chains of {within(lost.services, _NAMED)} show that "
        f"{'it has' if one else 'they have'} node ports: none of them works",
        RESTART_RULES,
        at_chain(lost.chain),
        services=lost.services,
        related=lost.lines,
    )
