"""An endpoint is in the Service's chain, but no connection can reach it.

What it checks:
    In each chain that spreads connections no rule has a probability that the kernel rounds to 0, and no rule before the
    last takes all connections, either without condition or with a probability that the kernel rounds to 1. With session
    affinity, every endpoint whose returning clients are looked up also gets new clients. Each endpoint's chain has its
    DNAT (if connections are lost, IPT202 reports it). Endpoints that policy Local uses but policy Cluster does not are
    reported as a note; unreached rules that only repeat others, as a warning.

Why it matters:
    The pods of this endpoint get nothing, and the others get their load. Scaling up the Deployment changes nothing.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-AAAAAAAAAAAAAAAA
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-BBBBBBBBBBBBBBBB

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.

When to ignore:
    Ignore the note if topology hints or terminating pods are the reason. kube-proxy 1.22 looks up returning clients of
    endpoints that are not ready; this is not reported.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.names import ChainRole, hash_of, role_of
from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_chain, at_rule, rule
from ipt_explain.audit.evidence.balancing.balancers import (
    chance_chains,
    dead,
    destinations,
    first_few,
    shares_text,
    without_dnat,
)
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains, may_starve
from ipt_explain.audit.evidence.balancing.odd_chains import OddChain, ShareRule
from ipt_explain.audit.evidence.node.writer import writer
from ipt_explain.words import counted

_LOOKS_FOR_UNREADY = 22


@rule("IPT203", "dead-endpoint", Severity.ERROR, evidence=may_starve)
def dead_endpoint(context: RulesetContext) -> Faults:
    """One fault for each chain, at the rule that makes endpoints dead."""
    for odd in chance_chains(context):
        lost = dead(odd)
        if lost and not (odd.ending is not None and len(lost) == len(odd.choices)):
            yield _fault(odd, lost)
    yield from _without_dnat(context)
    yield from _returning_only(context)
    yield from _local_only(context)


def _without_dnat(context: RulesetContext) -> Faults:
    for balancer, broken in without_dnat(context):
        for chain in broken if balancer.unmatched == 0.0 else ():
            yield Fault(
                f"the endpoint's chain has no DNAT: connections return from it to {balancer.chain}, and the endpoints "
                "after it get them",
                RESTART,
                at_rule(chain.rules[0]) if chain.rules else at_chain(chain),
                service=context.service_of(balancer.chain),
            )


def _returning_only(context: RulesetContext) -> Faults:
    if not balancing_chains(context).affinity:
        return
    from ipt_explain.audit.evidence.balancing.affinity import AffinityFault, broken_affinity

    version = writer(context).version
    for broken in broken_affinity(context, AffinityFault.RETURNING_ONLY):
        if context.knows_chain(broken.chain) and not version.first <= _LOOKS_FOR_UNREADY <= version.last:
            yield Fault(
                f"{_get(context, broken.endpoints)} returning clients, but no rule sends new ones there",
                RESTART,
                at_rule(broken.rule),
                related=tuple(rule.line for rule in broken.related),
                severity=Severity.WARNING,
            )


def _local_only(context: RulesetContext) -> Faults:
    targets = balancing_chains(context).targets
    for name, local in targets.items():
        if name[:9] == ChainRole.SERVICE.value:
            continue
        chain = context.chain("nat", ChainRole.SERVICE.value + name[9:])
        if chain is None or not context.knows_chain(chain):
            continue
        everywhere = targets.get(chain.name, ())
        missing = [target for target in local if target not in everywhere] if everywhere else []
        if missing:
            yield Fault(
                f"{_get(context, missing)} connections only from {name}: {chain.name}, which should lead to all "
                "endpoints, lacks them",
                RESTART,
                at_chain(chain),
                severity=Severity.INFO,
            )


def _get(context: RulesetContext, endpoints: Sequence[str]) -> str:
    """`10.244.1.9:8080 gets`, `10.244.1.9:8080, 10.244.1.10:8080 get`."""
    return f"{destinations(context, tuple(endpoints))} get{'s' if len(endpoints) == 1 else ''}"


def _fault(odd: OddChain, lost: list[ShareRule]) -> Fault:
    live = {choice.destination for choice in odd.choices if choice not in lost}
    gone = [choice.destination for choice in lost if choice.destination not in live]
    cause = _cause(odd, lost)
    text = cause.rule.match("statistic", "--probability")
    if cause.chance == 0.0:
        why = f"probability {text} never matches"
    elif text is None:
        why = "this rule takes every connection, and other rules come after it"
    else:
        why = f"probability {text} always matches, and other endpoints come after it"
    past = cause.rule.target or ""
    if gone and role_of(past) is ChainRole.SERVICE and hash_of(past) == hash_of(odd.chain.name):
        return Fault(
            f"{why}: it leads to all endpoints ({past}), and the rules for {first_few(gone)} alone get no connection",
            RESTART,
            at_rule(cause.rule, focus=past),
            related=tuple(choice.rule.line for choice in lost),
            severity=Severity.WARNING,
        )
    if gone:
        take = f"{counted(len(live), 'endpoint')} {'takes' if len(live) == 1 else 'take'} all"
        what = f"{first_few(gone)} {'gets' if len(gone) == 1 else 'get'} no connection, and {take}"
    else:
        repeat = "a rule that gets none repeats" if len(lost) == 1 else "the rules that get none repeat"
        what = f"{repeat} what other rules do, so no endpoint is cut off"
    return Fault(
        f"{why}: {what} ({shares_text(odd.choices, odd.leak)})",
        RESTART,
        at_rule(cause.rule, focus="" if text is None else f"--probability {text}"),
        related=tuple(choice.rule.line for choice in lost),
        severity=Severity.ERROR if gone else Severity.WARNING,
    )


def _cause(odd: OddChain, lost: list[ShareRule]) -> ShareRule:
    """The rule that never matches, or an earlier rule that takes everything."""
    first = lost[0]
    if first.chance == 0.0:
        return first
    earlier = odd.choices[: odd.choices.index(first)]
    return next((choice for choice in reversed(earlier) if choice.chance == 1.0), first)
