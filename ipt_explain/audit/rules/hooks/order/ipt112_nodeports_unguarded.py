"""Packets to other hosts are treated as node port traffic: the jump to KUBE-NODEPORTS has no guard.

What it checks:
    In nat KUBE-SERVICES the jump to KUBE-NODEPORTS is for local destinations (`-m addrtype --dst-type LOCAL`) or for
    one address (`-d`).

Why it matters:
    KUBE-NODEPORTS tests only protocol and port. Without a guard it takes every connection through the node to, say,
    port 30080 of any host and sends it to the pods of the Service with that node port.

Example:
    -A KUBE-SERVICES -m comment
      --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -j KUBE-NODEPORTS

How to fix:
    Restart kube-proxy on the node: it writes the jump with its guard.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import NODE_PORTS
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, restart, rule
from ipt_explain.audit.evidence.hooks.services_chain import services_chain


@rule("IPT112", "nodeports-unguarded", Severity.ERROR, evidence=(services_chain, "unguarded_node_ports"))
def nodeports_unguarded(context: RulesetContext) -> Faults:
    """One fault for each such jump."""
    ports = context.chain("nat", NODE_PORTS)
    count = len(ports.rules) if ports is not None else 0
    for jump in services_chain(context).unguarded_node_ports:
        rules = f"the {count} rules of KUBE-NODEPORTS" if count else "KUBE-NODEPORTS"
        yield Fault(
            f"packets to other hosts go through {rules}: connections through this node to a node port number on any "
            "host are caught, and those to the node's own addresses may be missed",
            restart("writes the jump with --dst-type LOCAL or -d"),
            at_rule(jump),
        )
