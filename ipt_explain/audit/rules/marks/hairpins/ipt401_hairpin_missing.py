"""A pod cannot reach itself through its Service: its endpoint chain does not mark such connections.

What it checks:
    Each endpoint chain (KUBE-SEP-…) that the dump shows in full sends connections from the endpoint's own address to
    KUBE-MARK-MASQ.

Why it matters:
    When a pod connects to its own Service, the rules may send the connection back to that same pod. Without
    masquerading the pod sees a packet from its own address and answers itself directly, and the connection hangs. With
    n endpoints this hits 1 in n connections, and only from these pods.

Example:
    *nat
    :KUBE-SEP-QAI6IJGEKZYOMWSX - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m comment --comment "default/kubernetes:https" -m tcp -j DNAT
      --to-destination 192.168.50.10:6443
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/kubernetes:https" -j KUBE-SEP-QAI6IJGEKZYOMWSX
    COMMIT

How to fix:
    Restart kube-proxy on the node: it writes two rules into each endpoint chain, the mark first.

When to ignore:
    When no pod of the Service ever connects to it.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.hairpins import HairpinFault, hairpins

_SHOWN = 8


@rule("IPT401", "hairpin-missing", Severity.ERROR, evidence=hairpins, gathers=True)
def hairpin_missing(context: RulesetContext) -> Faults:
    """One fault for each such endpoint."""
    for broken in hairpins(context):
        undone = broken.fault is HairpinFault.UNDONE
        if undone or (broken.fault is HairpinFault.MISSING and context.knows_chain(broken.chain)):
            address = broken.endpoint.address
            why = "this rule takes the mark off again" if undone else "the connection is not masqueraded and hangs"
            lacks = f"; the chain lacks `-s {address} -j KUBE-MARK-MASQ` before its DNAT"
            yield Fault(
                f"{address} cannot reach itself through the Service: {why}",
                f"Restart kube-proxy on this node{'' if undone else lacks}.",
                at_rule(broken.rule),
                service=broken.service.label,
                related=tuple(member.line for member in broken.chain.rules[:_SHOWN]),
            )
