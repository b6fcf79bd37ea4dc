"""Returning clients are looked up in a list that nothing fills.

What it checks:
    If a Service looks up returning clients of an endpoint (`-m recent --rcheck`), the endpoint's DNAT rule records them
    (`-m recent --set`).

Why it matters:
    The list stays empty, so session affinity never works for this endpoint: each connection of its clients is balanced
    again.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-QAI6IJGEKZYOMWSX
      --mask 255.255.255.255 --rsource -j KUBE-SEP-QAI6IJGEKZYOMWSX
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.affinity import AffinityFault, broken_affinity
from ipt_explain.audit.evidence.balancing.balancers import destinations


@rule("IPT301", "affinity-never-set", Severity.ERROR, about=("-m recent",))
def affinity_never_set(context: RulesetContext) -> Faults:
    """One fault for each endpoint, at the rule that should record."""
    for broken in broken_affinity(context, AffinityFault.NEVER_SET):
        yield Fault(
            f"{broken.chain.name} looks up returning clients of {destinations(context, broken.endpoints)}, but its "
            "DNAT rule records none: session affinity never works for this endpoint",
            RESTART,
            at_rule(broken.rule),
            related=tuple(rule.line for rule in broken.related),
        )
