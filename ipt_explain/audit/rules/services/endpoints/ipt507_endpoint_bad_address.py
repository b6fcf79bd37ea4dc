"""An endpoint has an address or port where nothing can answer.

What it checks:
    Each endpoint's DNAT leads to one address and a port from 1 to 65535. The address is not 0.0.0.0, loopback,
    multicast or broadcast.

Why it matters:
    Connections to this endpoint fail, or reach a process on the node. Port 0 or 0.0.0.0:0 is left over when iptables of
    different releases save and restore each other's rules. A DNAT without a port keeps the port that packets are sent
    to, which is right only for a pod that listens on the Service's port, and for no node port.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/kubernetes:https" -j KUBE-SEP-QAI6IJGEKZYOMWSX
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m comment --comment "default/kubernetes:https" -m tcp -j DNAT
      --to-destination 192.168.50.10:0

How to fix:
    Restart kube-proxy on the node. If the address comes back, use one release of iptables on the node and in its
    containers, and check the Service's endpoints.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.endpoint_chains import Flaw, bad_destinations, endpoint_chains


@rule("IPT507", "endpoint-bad-address", Severity.ERROR, evidence=bad_destinations)
def endpoint_bad_address(context: RulesetContext) -> Faults:
    """One fault for each such endpoint."""
    for chain, destination, flaw in bad_destinations(context):
        kept = flaw is Flaw.NO_PORT
        effect = "connections keep the one that they were sent to" if kept else "connections to it fail"
        yield Fault(
            f"the endpoint {destination} {flaw.value}: {effect}",
            "Restart kube-proxy on this node; if it comes back, check the Service's endpoints.",
            at_rule(endpoint_chains(context).dnat(chain), focus=f"--to-destination {destination}"),
            severity=Severity.WARNING if kept else None,
        )
