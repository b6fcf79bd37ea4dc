"""KUBE-SERVICES is so long that it slows down every new connection.

What it checks:
    KUBE-SERVICES in table nat has fewer than 2,000 rules. The kernel compares them one by one.

Why it matters:
    The first packet of each connection through this node is compared with all rules before its own. A connection to a
    node port, or to no Service at all, is compared with every one. At 10,000 rules that is about a tenth of a
    millisecond, or a whole CPU under many short connections. Established connections are not affected.

Example:
    # the next rule 2,000 times
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y

How to fix:
    Nothing is wrong with the rules. kube-proxy's nftables mode (1.31 and later) and IPVS mode look up Services in one
    step; so do eBPF replacements.

When to ignore:
    When connections are few or long-lived.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import SERVICES
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, rule

MANY = 2000
"""A chain of this many rules or more is worth a note."""


@rule("IPT709", "large-ruleset", Severity.INFO, about=("KUBE-SERVICES",))
def large_ruleset(context: RulesetContext) -> Faults:
    """At most one fault, at the chain."""
    chain = context.chain("nat", SERVICES)
    count = 0 if chain is None else len(chain.layout)
    if chain is not None and count >= MANY:
        yield Fault(
            f"KUBE-SERVICES has {count:,} rules: a new connection to a Service is compared with {(count + 1) // 2:,} "
            f"of them on average, one to a node port or to no Service with all {count:,}",
            "Consider kube-proxy's nftables mode, which looks up Services in one step.",
            at_chain(chain),
        )
