"""A pod cannot reach itself through its Service: its endpoint chain does not mark such connections.

What it checks:
    Each endpoint chain (KUBE-SEP-…) that the text shows in full has a rule that sends connections from the endpoint's
    own address to KUBE-MARK-MASQ.

Why it matters:
    A pod that connects to a Service may be sent back to itself. Without masquerading it sees a packet from its own
    address, answers itself directly, and the connection hangs: with n endpoints, for 1 in n connections, and only from
    these pods.

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


@rule("IPT401", "hairpin-missing", Severity.ERROR, about=("KUBE-SEP-",), gathers=True)
def hairpin_missing(context: RulesetContext) -> Faults:
    """One fault for each such endpoint."""
    for broken in hairpins(context):
        if broken.fault is HairpinFault.MISSING and context.knows_chain(broken.chain):
            address = broken.endpoint.address
            yield Fault(
                f"connections of {address} to the Service that come back to itself are not masqueraded: they hang",
                f"Restart kube-proxy on this node; the chain lacks `-s {address} -j KUBE-MARK-MASQ` ahead of its DNAT.",
                at_rule(broken.rule),
                service=broken.service.label,
                related=tuple(member.line for member in broken.chain.rules[:_SHOWN]),
            )
