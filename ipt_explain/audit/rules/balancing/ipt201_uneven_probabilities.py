"""Connections are not spread evenly over the endpoints of a Service.

What it checks:
    In each chain that spreads connections (KUBE-SVC, KUBE-SVL, KUBE-XLB) the rule for the first of the k remaining
    endpoints has probability 1/k. kube-proxy rounds it, to five digits up to 1.16 and to ten since, and the kernel
    keeps 31 bits. Both roundings are even enough and never reported. In fragments a probability is reported only if no
    missing line could explain it.

Why it matters:
    Some pods get several times the load of others. Nothing fails outright: it shows as latency, and as restarts of the
    busiest pods.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m statistic --mode random --probability 0.50000000000
      -j KUBE-SEP-AAAAAAAAAAAAAAAA
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m statistic --mode random --probability 0.50000000000
      -j KUBE-SEP-BBBBBBBBBBBBBBBB
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-CCCCCCCCCCCCCCCC

How to fix:
    Restart kube-proxy on the node: it rewrites the chain. If this comes back, one endpoint has an address that
    kube-proxy 1.22 or older counts but skips.

When to ignore:
    When the weights were set by hand and kube-proxy does not run.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.balancers import chance_chains, dead, leaks, repeated, shares_text
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains
from ipt_explain.audit.evidence.balancing.odd_chains import OddChain
from ipt_explain.words import counted
from ipt_explain.words.percents import percent

_MUCH = 1.1


@rule("IPT201", "uneven-probabilities", Severity.WARNING, evidence=(balancing_chains, "odd"))
def uneven_probabilities(context: RulesetContext) -> Faults:
    """One fault for each chain, at the first probability that does not fit."""
    for odd in chance_chains(context):
        if dead(odd) or repeated(odd) or odd.strange or leaks(context, odd) or odd.ending is not None:
            continue  # another rule reports the cause
        if not context.knows_chain(odd.chain) and odd.partial:
            continue
        if any(not choice.even for choice in odd.choices):
            yield _fault(odd)


def _more_than_its_share(ratio: float) -> str:
    """`2.5 times its share`, `3 % more than its share`."""
    return f"{ratio:.2g} times its share" if ratio >= _MUCH else f"{percent(ratio - 1)} more than its share"


def _fault(odd: OddChain) -> Fault:
    choices = odd.choices
    place = next(place for place, choice in enumerate(choices) if not choice.even)
    wrong, remaining = choices[place], len(choices) - place
    text = wrong.rule.match("statistic", "--probability") or ""
    option = wrong.rule.shape.match_option("statistic", "--probability")
    chance = f"! {text}" if option is not None and option.negated else text
    most = max(choices, key=lambda choice: choice.share)
    return Fault(
        f"connections are spread unevenly: {shares_text(choices, odd.leak)}; {most.destination} gets "
        f"{_more_than_its_share(most.share * len(choices))}; {wrong.destination} has probability {chance} with "
        f"{counted(remaining, 'endpoint')} left ({percent(1 / remaining)} would be even)",
        RESTART,
        at_rule(wrong.rule, focus=f"--probability {text}"),
        related=tuple(choice.rule.line for choice in choices),
    )
