"""An endpoint appears more than once in the chain that balances a Service's connections.

What it checks:
    No chain that spreads connections leads twice to one endpoint chain, or to two endpoint chains with the same
    destination.

Why it matters:
    The endpoint gets several times its share. If a rule was changed to lead there, the endpoint that it led to before
    gets nothing.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m statistic --mode random --probability 0.33333333349
      -j KUBE-SEP-AAAAAAAAAAAAAAAA
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m statistic --mode random --probability 0.50000000000
      -j KUBE-SEP-AAAAAAAAAAAAAAAA
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-BBBBBBBBBBBBBBBB

How to fix:
    Restart kube-proxy on the node. If this comes back, look for two EndpointSlices or Endpoints subsets with the same
    address.

When to ignore:
    When weights are intended and kube-proxy does not run.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.balancers import chance_chains, dead, repeated, shares_text
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains
from ipt_explain.words.percents import percent


@rule(
    "IPT204",
    "repeated-endpoint",
    Severity.WARNING,
    evidence=(balancing_chains, "odd"),
    yields_to=("IPT504", "IPT510"),
)
def repeated_endpoint(context: RulesetContext) -> Faults:
    """One fault for each chain, at the second rule that leads to an endpoint."""
    for odd in chance_chains(context):
        copies = repeated(odd)
        if not copies or all(copy in dead(odd) for copy in copies):
            continue
        second = copies[0]
        twins = [
            choice
            for choice in odd.choices
            if choice.target == second.target or choice.destination == second.destination
        ]
        different = len({choice.destination for choice in odd.choices})
        got = sum(choice.share for choice in twins)
        gets = f"gets {percent(got)} of new connections"
        among = (
            f"among {different} endpoints and {gets}, {got * different:.2g} times its share: "
            f"{shares_text(odd.choices, odd.leak)}"
        )
        yield Fault(
            f"{second.destination} appears {len(twins)} times {among if different > 1 else f'and {gets}'}",
            RESTART,
            at_rule(second.rule, focus=second.target),
            related=tuple(choice.rule.line for choice in (*twins, *copies)),
        )
