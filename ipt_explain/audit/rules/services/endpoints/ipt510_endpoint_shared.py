"""Two Services lead to one endpoint chain, which belongs to one of them.

What it checks:
    kube-proxy makes a chain for each endpoint of each service port, so no two service ports lead to the same endpoint
    chain. The chains of one service port (KUBE-SVC, KUBE-SVL, KUBE-XLB) share theirs.

Why it matters:
    One of the two Services sends a share of its connections to a pod of the other, where another program answers or
    nothing listens.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    -A KUBE-SVC-TCOU7JCQXEZGVUNU -j KUBE-SEP-QAI6IJGEKZYOMWSX

How to fix:
    Restart kube-proxy on the node: it rewrites the chains.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains
from ipt_explain.audit.evidence.balancing.endpoint_chains import endpoint_chains
from ipt_explain.audit.evidence.names.proof import NameEvidence, SharedEndpoint, label, name_evidence
from ipt_explain.model import Chain, Rule
from ipt_explain.words.percents import part_of


@rule("IPT510", "endpoint-shared", Severity.ERROR, evidence=(name_evidence, "shared"))
def endpoint_shared(context: RulesetContext) -> Faults:
    """One fault for each pair, at the rule of the Service whose endpoint it is not."""
    evidence = name_evidence(context)
    for shared in evidence.shared:
        yield _fault(context, shared, evidence)


def _fault(context: RulesetContext, shared: SharedEndpoint, evidence: NameEvidence) -> Fault:
    wrong, right = shared.first, shared.second
    if not any(each.chain == shared.endpoint and each.caller[9:] == wrong[9:] for each in evidence.altered):
        wrong, right = right, wrong
    chains = context.ruleset.tables["nat"].chains
    way, other_way = _way(chains[wrong], shared.endpoint), _way(chains[right], shared.endpoint)
    mine, other = evidence.proved.get(wrong[9:]), evidence.proved.get(right[9:])
    count = len(balancing_chains(context).targets[wrong])
    endpoints = endpoint_chains(context)
    dnat = (endpoints.dnat(shared.endpoint).line,) if shared.endpoint in endpoints.destinations else ()
    return Fault(
        f"{wrong} sends {part_of(1 / count) or 'all '}new connections to "
        f"{endpoints.destination(shared.endpoint)}, an endpoint of "
        f"{right if other is None else label(other.spelled)}",
        RESTART,
        at_rule(way, focus=shared.endpoint),
        service=context.service_of(wrong) if mine is None else label(mine.spelled),
        related=(other_way.line, *dnat),
    )


def _way(chain: Chain, endpoint: str) -> Rule:
    return next(rule for rule in reversed(chain.rules) if rule.target == endpoint)
