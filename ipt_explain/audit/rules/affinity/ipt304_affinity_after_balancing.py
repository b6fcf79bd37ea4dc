"""Returning clients are looked up only after rules that balance them again.

What it checks:
    In chains with session affinity every rule that looks up returning clients (`--rcheck`) comes before the first rule
    that leads to an endpoint by chance or without condition.

Why it matters:
    The rules before it take their share of returning clients first, so stickiness is a matter of luck. A lookup after
    the last endpoint, which takes everything, never takes effect.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m statistic --mode random --probability 0.50000000000
      -j KUBE-SEP-BBBBBBBBBBBBBBBB
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-AAAAAAAAAAAAAAAA
      --mask 255.255.255.255 --rsource -j KUBE-SEP-AAAAAAAAAAAAAAAA
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-AAAAAAAAAAAAAAAA

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.affinity import AffinityFault, broken_affinity
from ipt_explain.audit.evidence.balancing.balancers import destinations
from ipt_explain.words.percents import percent


@rule("IPT304", "affinity-after-balancing", Severity.ERROR, about=("-m recent",))
def affinity_after_balancing(context: RulesetContext) -> Faults:
    """One fault for each such rule."""
    for broken in broken_affinity(context, AffinityFault.LATE):
        reached = "none" if broken.share <= 0.0 else f"only {percent(broken.share)}"
        yield Fault(
            f"returning clients of {destinations(context, broken.endpoints)} are looked up only after balancing: "
            f"{reached} of them get here, the others are balanced again",
            RESTART,
            at_rule(broken.rule),
            related=tuple(rule.line for rule in broken.related),
        )
