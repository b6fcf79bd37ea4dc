"""Returning clients are looked up for some endpoints of a chain, but not for all of them.

What it checks:
    A chain that looks up returning clients does so for each endpoint that it leads to. One lookup rule more than
    endpoints is normal: kube-proxy 1.22 also writes them for endpoints that are not ready.

Why it matters:
    Clients of the other endpoints are balanced again with each connection.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]
    :KUBE-SEP-BBBBBBBBBBBBBBBB - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-AAAAAAAAAAAAAAAA
      --mask 255.255.255.255 --rsource -j KUBE-SEP-AAAAAAAAAAAAAAAA
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m statistic --mode random --probability 0.50000000000
      -j KUBE-SEP-AAAAAAAAAAAAAAAA
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-BBBBBBBBBBBBBBBB
    COMMIT

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.

When to ignore:
    Never in a complete dump.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.affinity import AffinityFault, broken_affinity
from ipt_explain.audit.evidence.balancing.balancers import destinations


@rule("IPT305", "affinity-incomplete", Severity.WARNING, about=("-m recent",))
def affinity_incomplete(context: RulesetContext) -> Faults:
    """One fault for each chain, at the rule of the first endpoint that is left out."""
    for broken in broken_affinity(context, AffinityFault.INCOMPLETE):
        if context.knows_chain(broken.chain):
            yield Fault(
                "the chain looks up returning clients, but not those of "
                f"{destinations(context, broken.endpoints)}: each connection is balanced again",
                RESTART,
                at_rule(broken.rule),
                related=tuple(rule.line for rule in broken.related),
            )
