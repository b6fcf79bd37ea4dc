"""Two Services lead to one endpoint chain, which belongs to one of them.

What it checks:
    kube-proxy makes a chain for each endpoint of each service port. No endpoint chain is led to from the chains of two
    service ports; the chains of one (KUBE-SVC, KUBE-SVL, KUBE-XLB) share theirs.

Why it matters:
    One of the two Services sends a share of its connections to a pod of the other, where another program answers, or
    nothing listens.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    -A KUBE-SVC-TCOU7JCQXEZGVUNU -j KUBE-SEP-QAI6IJGEKZYOMWSX

How to fix:
    Restart kube-proxy on the node, which writes the chains anew.

When to ignore:
    Never.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.balancing_chains import SharedEndpoint
from ipt_explain.analyzers.name_evidence import NameEvidence
from ipt_explain.audit.balancers import RESTART, balancing_chains, endpoint_chains, percent
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fault import Fault, at_chain, at_rule
from ipt_explain.audit.finding import Severity
from ipt_explain.audit.rule import rule
from ipt_explain.audit.service_facts import label, name_evidence
from ipt_explain.model import Chain, Rule


@rule("IPT510", "endpoint-shared", Severity.ERROR)
def endpoint_shared(context: RulesetContext) -> Iterator[Fault]:
    """One fault for each pair, at the rule of the Service whose endpoint it is not."""
    evidence = name_evidence(context) if balancing_chains(context).shared else None
    for shared in balancing_chains(context).shared:
        if evidence is not None:
            yield _fault(context, shared, evidence)


def _fault(context: RulesetContext, shared: SharedEndpoint, evidence: NameEvidence) -> Fault:
    endpoint = endpoint_chains(context).destination(shared.endpoint)
    callers = _callers(context, shared)
    wrong, right = callers[0], callers[-1]
    altered = {each.chain: each for each in evidence.altered}
    found = altered.get(shared.endpoint)
    if found is None or hash_in(found.caller) != hash_in(wrong[0].name):
        wrong, right = right, wrong
    chain, way = wrong
    count = len(balancing_chains(context).targets.get(chain.name, ())) or 1
    mine, other = (evidence.proved.get(hash_in(each.name)) for each in (chain, right[0]))
    owner = right[0].name if other is None else label(other.spelled)
    return Fault(
        f"{chain.name} leads {percent(1 / count)} of new connections to {endpoint}, an endpoint of {owner}",
        RESTART,
        at_chain("nat", chain) if way is None else at_rule("nat", way, focus=shared.endpoint),
        service=context.service_of(chain.name) if mine is None else label(mine.spelled),
        related=tuple(each.line for each in (right[1],) if each is not None),
    )


def _callers(context: RulesetContext, shared: SharedEndpoint) -> list[tuple[Chain, Rule | None]]:
    """The chains of both service ports with their rule for the endpoint: the first and the later one."""
    nat = context.ruleset.tables["nat"]
    first = next(
        name
        for name, targets in balancing_chains(context).targets.items()
        if hash_in(name) == shared.owner and shared.endpoint in targets
    )
    return [(chain, _way(chain, shared.endpoint)) for chain in (nat.chains[first], shared.chain)]


def _way(chain: Chain, endpoint: str) -> Rule | None:
    return next((rule for rule in reversed(chain.rules) if rule.target == endpoint), None)


def hash_in(chain: str) -> str:
    """The hash in the name of a balancing chain."""
    return chain[9:]
