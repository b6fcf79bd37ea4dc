"""Endpoints record their clients, but no rule looks them up when they return.

What it checks:
    If endpoints' DNAT rules record clients (`-m recent --set`), the chain that leads to them looks up returning clients
    (`--rcheck`).

Why it matters:
    The Service has session affinity, but each connection through this chain is balanced again.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SEP-QAI6IJGEKZYOMWSX - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m recent --set --name KUBE-SEP-QAI6IJGEKZYOMWSX --mask 255.255.255.255
      --rsource -m tcp -j DNAT --to-destination 192.168.50.10:6443
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    COMMIT

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.

When to ignore:
    In KUBE-XLB of kube-proxy 1.9 or older, which had no affinity there.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import ChainRole, role_of
from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.affinity import AffinityFault, broken_affinity
from ipt_explain.audit.evidence.balancing.balancers import destinations
from ipt_explain.audit.evidence.node.writer import writer

_XLB_SINCE = 10


@rule("IPT302", "affinity-set-unused", Severity.WARNING, about=("-m recent",))
def affinity_set_unused(context: RulesetContext) -> Faults:
    """One fault for each chain, at its first rule for such an endpoint."""
    for broken in broken_affinity(context, AffinityFault.UNUSED):
        if not context.knows_chain(broken.chain):
            continue
        if role_of(broken.chain.name) is ChainRole.LOCAL_EXTERNAL and not writer(context).since(_XLB_SINCE):
            continue
        yield Fault(
            f"{destinations(context, broken.endpoints)} record{'s' if len(broken.endpoints) == 1 else ''} clients for "
            "session affinity, but this chain does not look up returning ones: each connection is balanced again",
            RESTART,
            at_rule(broken.rule),
            related=tuple(rule.line for rule in broken.related),
        )
