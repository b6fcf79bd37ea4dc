"""The dump mixes the probability formats of two kube-proxy generations.

What it checks:
    kube-proxy wrote probabilities with five digits up to 1.16 (0.33333) and with ten since (0.3333333333). Most can
    still be told apart in the kernel's 31 bits. No dump has both.

Why it matters:
    Either an older kube-proxy left its chains, or two run on the node and overwrite each other. Chains that nobody
    updates any more still lead to pods that are gone.

Example:
    -A KUBE-SVC-AAAAAAAAAAAAAAAA -m statistic --mode random --probability 0.33332999982
      -j KUBE-SEP-AAAAAAAAAAAAAAAA
    -A KUBE-SVC-AAAAAAAAAAAAAAAA -m statistic --mode random --probability 0.50000000000
      -j KUBE-SEP-BBBBBBBBBBBBBBBB
    -A KUBE-SVC-AAAAAAAAAAAAAAAA -j KUBE-SEP-CCCCCCCCCCCCCCCC
    -A KUBE-SVC-BBBBBBBBBBBBBBBB -m statistic --mode random --probability 0.33333333349
      -j KUBE-SEP-DDDDDDDDDDDDDDDD
    -A KUBE-SVC-BBBBBBBBBBBBBBBB -m statistic --mode random --probability 0.50000000000
      -j KUBE-SEP-EEEEEEEEEEEEEEEE
    -A KUBE-SVC-BBBBBBBBBBBBBBBB -j KUBE-SEP-FFFFFFFFFFFFFFFF

How to fix:
    Make sure that only one kube-proxy runs on the node, and restart it.

When to ignore:
    Right after an upgrade across 1.17, until kube-proxy has synced once.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import ONE_PROXY, Fault, Faults, RulesetContext, Severity, at_chain, chain_lines, rule
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains


@rule("IPT208", "mixed-precision", Severity.INFO, evidence=(balancing_chains, "mixed"))
def mixed_precision(context: RulesetContext) -> Faults:
    """One note for a ruleset, at the first chain of the older kind."""
    old, new = balancing_chains(context).mixed
    yield Fault(
        f"{old.name} has five-digit probabilities, as kube-proxy up to 1.16 wrote them, and {new.name} has ten "
        "digits: two releases wrote here, and the older rules are not kept up to date",
        ONE_PROXY,
        at_chain(old),
        related=chain_lines([new]),
    )
