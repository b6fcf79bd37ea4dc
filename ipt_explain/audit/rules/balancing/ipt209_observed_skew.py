"""Endpoints got shares of the connections that their probabilities cannot explain.

What it checks:
    In dumps with counters (`iptables-save -c`) each rule of a balancing chain took about as many connections as its
    probability predicts. A chi-square test checks the whole chain: it is reported if chance alone would do this less
    than once in a million times and some endpoint is off by a quarter or more. Connections that session affinity sent
    back to their endpoint do not count, and chains with fewer than 200 connections are skipped.

Why it matters:
    The rules spread evenly, so something else decides: an earlier rule that takes some connections, a chain whose
    counters were partly reset, or a probability that was changed since. An endpoint with no connection among busy ones
    gets no traffic.

Example:
    [0:0] -A KUBE-SVC-NPX46M4PTMTKRN6Y -m statistic --mode random --probability 0.50000000000
      -j KUBE-SEP-AAAAAAAAAAAAAAAA
    [4000:240000] -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-BBBBBBBBBBBBBBBB

How to fix:
    Compare the rules with those of another node, and look for other programs' rules that match the Service's address.
    If you restart kube-proxy, it rewrites the chain and its counters.

When to ignore:
    After rules were edited or counters were zeroed by hand (`iptables -Z`).
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.skew import skews


@rule("IPT209", "observed-skew", Severity.WARNING, about=("-c",), evidence=skews)
def observed_skew(context: RulesetContext) -> Faults:
    """One fault for each such chain, at the rule that is furthest off."""
    for skew in skews(context):
        yield Fault(
            f"this rule took {skew.observed:,} of {skew.total:,} connections counted, but its probability predicts "
            f"{skew.expected:,.0f}: something else decides which endpoint gets them",
            "Look for earlier rules that match the same connections, and compare with another node.",
            at_rule(skew.rule),
            related=tuple(other.line for other in skew.others),
        )
