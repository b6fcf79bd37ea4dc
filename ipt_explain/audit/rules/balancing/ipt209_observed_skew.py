"""Endpoints got shares of the connections that their probabilities cannot explain.

What it checks:
    Dumps with counters (`iptables-save -c`): how many connections each rule of a balancing chain took, against its
    probability. A chi-square test over the chain; reported where chance would do as much less than once in a million
    and some endpoint is a quarter or more off. Connections that session affinity sent back to their endpoint are not
    counted, and chains with fewer than 200 connections are left out.

Why it matters:
    The rules spread evenly, so something else decides: a rule ahead of them that takes some connections, a chain whose
    counters were reset in part, or a probability that was changed since. An endpoint without any connection beside
    busy ones gets no traffic.

Example:
    [0:0] -A KUBE-SVC-NPX46M4PTMTKRN6Y -m statistic --mode random --probability 0.50000000000
      -j KUBE-SEP-AAAAAAAAAAAAAAAA
    [4000:240000] -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-BBBBBBBBBBBBBBBB

How to fix:
    Compare the rules with those of another node, and look for rules of other programs that match the service's
    address. A restart of kube-proxy rewrites the chain and its counters.

When to ignore:
    After rules were edited or counters were zeroed by hand (`iptables -Z`).
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.skew import find_skew


@rule("IPT209", "observed-skew", Severity.WARNING)
def observed_skew(context: RulesetContext) -> Faults:
    """One fault for each such chain, at the rule that is furthest off."""
    for skew in find_skew(context.ruleset):
        yield Fault(
            f"of {skew.total:,} connections counted, this rule took {skew.observed:,}, where its probability makes "
            f"{skew.expected:,.0f} likely: something else decides which endpoint gets them",
            "Look for rules ahead that match the same connections, and compare with another node.",
            at_rule(skew.rule),
            related=tuple(other.line for other in skew.others),
        )
