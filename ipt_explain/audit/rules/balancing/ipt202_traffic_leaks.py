"""Some connections match no endpoint and leave with the Service's own address as destination.

What it checks:
    In each chain that spreads connections (KUBE-SVC, KUBE-SVL, KUBE-XLB) the last endpoint matches without condition,
    nothing before it returns, and each endpoint's chain has its DNAT. The chain has endpoints at all, unless the filter
    table refuses the connections. Parts that a fragment leaves out are not checked.

Why it matters:
    A connection that falls through keeps the Service's address, which no machine has. It leaves the node by the default
    route and is never answered, so clients time out now and then.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -p tcp -j RETURN
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m statistic --mode random --probability 0.50000000000
      -j KUBE-SEP-AAAAAAAAAAAAAAAA
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-BBBBBBBBBBBBBBBB

How to fix:
    Restart kube-proxy on the node: it rewrites the chain. By hand: delete the `-m statistic` match from the last
    endpoint's rule.

When to ignore:
    Never in a complete dump. If none of a Service's pods is ready, kube-proxy 1.22 itself leaves a chain without
    endpoints instead of refusing connections; that is reported as a note.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.fates.deciding import last_choice
from ipt_explain.audit.authoring import (
    RESTART,
    Fault,
    Faults,
    RulesetContext,
    Severity,
    at_chain,
    at_rule,
    at_rule_or_chain,
    rule,
)
from ipt_explain.audit.evidence.balancing.balancers import chance_chains, leaks, without_dnat
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains, may_leak
from ipt_explain.audit.evidence.balancing.odd_chains import OddChain
from ipt_explain.audit.evidence.node.writer import writer
from ipt_explain.model import Chain
from ipt_explain.services.ports import Balancer, FrontendVerdict
from ipt_explain.words import counted, front
from ipt_explain.words.percents import part_of

_FORGETFUL = 22
_AWAY = "leave the node with the Service's own address as destination, and nothing answers them"


@rule("IPT202", "traffic-leaks", Severity.ERROR, evidence=may_leak)
def traffic_leaks(context: RulesetContext) -> Faults:
    """One fault for each chain through which connections fall."""
    for odd in chance_chains(context):
        if leaks(context, odd):
            yield _leaking(odd)
    yield from _without_choices(context)
    yield from _without_dnat(context)


def _leaking(odd: OddChain) -> Fault:
    share = part_of(odd.leak) or "all "
    lines = tuple(choice.rule.line for choice in odd.choices)
    if odd.ending is not None:
        return Fault(
            f"{share}new connections leave {odd.chain.name} before its endpoints ({odd.ending.target}): they "
            f"{_AWAY}",
            f"Delete this rule. {RESTART}",
            at_rule(odd.ending),
            related=lines,
        )
    last = last_choice(odd.chain) or odd.choices[-1].rule
    text = last.match("statistic", "--probability")
    return Fault(
        f"{share}new connections match no endpoint: they {_AWAY}; the last endpoint must match without condition",
        RESTART,
        at_rule(last, focus="" if text is None else f"--probability {text}"),
        related=lines,
    )


def _without_choices(context: RulesetContext) -> Faults:
    empty = {chain.name: chain for chain in balancing_chains(context).empty if context.knows_chain(chain)}
    if not empty or "filter" not in context.ruleset.tables:  # where refusals are
        return
    reported: set[str] = set()
    for service, frontend in context.frontends:
        name = frontend.balancer
        if name in empty and name not in reported and frontend.verdict is FrontendVerdict.UNMATCHED:
            reported.add(name)
            yield Fault(
                f"{name} leads to no endpoint and nothing refuses the connections: all new connections to "
                f"{front(frontend.address, frontend.port)} {_AWAY}",
                RESTART,
                at_chain(empty[name]),
                service=service.label,
                related=(frontend.rule.line,),
                severity=Severity.INFO if _unready(context, empty[name]) else None,
            )


def _unready(context: RulesetContext, chain: Chain) -> bool:
    """Whether kube-proxy 1.22 may have written the chain like this: it forgot to refuse connections if all endpoints
    are unready."""
    version = writer(context).version
    return bool(chain.rules) and version.first <= _FORGETFUL <= version.last


def _without_dnat(context: RulesetContext) -> Faults:
    for balancer, broken in without_dnat(context):
        if balancer.unmatched is None or balancer.unmatched > 0.0:
            yield _broken(context, balancer, broken)


def _broken(context: RulesetContext, balancer: Balancer, broken: Sequence[Chain]) -> Fault:
    share = "some " if balancer.unmatched is None else part_of(balancer.unmatched) or "all "
    places = [at_rule_or_chain(last_choice(chain), chain) for chain in broken]
    lack = f"{counted(len(broken), 'endpoint chain')} of {balancer.chain} {'has' if len(broken) == 1 else 'have'}"
    return Fault(
        f"{lack} no DNAT: {share}new connections return from there and {_AWAY}",
        RESTART,
        places[0],
        service=context.service_of(balancer.chain),
        related=tuple(place.line for place in places[1:] if place.line is not None),
    )
