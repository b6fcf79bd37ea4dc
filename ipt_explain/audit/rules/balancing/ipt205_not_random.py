"""A Service's endpoint is chosen by counting connections instead of at random.

What it checks:
    The rules of chains that spread connections use `-m statistic --mode random`, as kube-proxy writes them. `--mode
    nth` is reported with the resulting shares.

Why it matters:
    Each rule counts for itself, in every family and table, and the shares are even only if the rules have the right
    numbers in the right order. `--every 3`, `--every 2` and a rule without condition are exact round robin; three rules
    with `--every 3` leave 8 of 27 connections without any endpoint.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m statistic --mode nth --every 2 --packet 0 -j KUBE-SEP-AAAAAAAAAAAAAAAA
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-BBBBBBBBBBBBBBBB

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.

When to ignore:
    When the rules are your own and strict round robin is intended.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.balancers import shares_text
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains


@rule("IPT205", "not-random", Severity.WARNING, evidence=(balancing_chains, "odd"))
def not_random(context: RulesetContext) -> Faults:
    """One fault for each chain, at its first rule that counts."""
    for odd in balancing_chains(context).odd:
        if odd.counting:
            leak = odd.leak if context.knows_chain(odd.chain) else 0.0
            yield Fault(
                "endpoints are chosen by counting connections, which kube-proxy never does: "
                f"{shares_text(odd.choices, leak)}",
                RESTART,
                at_rule(odd.counting[0], focus="--mode nth"),
                related=tuple(counting.line for counting in odd.counting),
            )
