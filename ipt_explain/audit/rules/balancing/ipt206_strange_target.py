"""A Service's chain sends a share of connections to something that is not an endpoint chain.

What it checks:
    The rules by which KUBE-SVC, KUBE-SVL and KUBE-XLB spread connections lead to endpoint chains (KUBE-SEP-…), as
    kube-proxy writes them. None leads to a chain of another kind or has a DNAT of its own.

Why it matters:
    That share of connections goes wherever the target sends it, maybe to another Service's pods. Pods that connect to
    themselves, and session affinity, do not work as they should.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m statistic --mode random --probability 0.50000000000
      -j KUBE-SVC-TCOU7JCQXEZGVUNU
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-BBBBBBBBBBBBBBBB

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.

When to ignore:
    When another program writes chains with these names on purpose.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains
from ipt_explain.words import within
from ipt_explain.words.percents import part_of

_NAMED = 3


@rule("IPT206", "strange-target", Severity.WARNING, evidence=(balancing_chains, "odd"))
def strange_target(context: RulesetContext) -> Faults:
    """One fault for each chain, at its first such rule."""
    for odd in balancing_chains(context).odd:
        if odd.strange:
            first = odd.strange[0]
            choices = [choice for choice in odd.choices if choice.rule in odd.strange]
            share = part_of(sum(choice.share for choice in choices)) or "all "
            straight = [choice.destination for choice in choices if choice.destination != choice.target]
            what = (
                f"{share}new connections go straight to {within(straight, _NAMED)}, past all endpoint chains: "
                "kube-proxy writes no DNAT here,"
                if straight and len(straight) == len(choices)
                else f"{share}new connections go to {first.target}, which is not an endpoint chain: it decides "
                "about them,"
            )
            yield Fault(
                f"{what} and hairpins and affinity may not work",
                RESTART,
                at_rule(first, focus=first.target or ""),
                related=tuple(strange.line for strange in odd.strange),
            )
