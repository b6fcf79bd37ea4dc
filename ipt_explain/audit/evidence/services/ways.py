"""The ways from a service port's addresses to its endpoints, and how rules report what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.audit.authoring import NOWHERE, Fault, RulesetContext, Severity, at_chain, at_rule, fact
from ipt_explain.audit.evidence.balancing.balancers import named
from ipt_explain.audit.evidence.services.broken_ways import BrokenWay, WayFault, Ways, read_ways
from ipt_explain.services.ports import Frontend
from ipt_explain.words.addresses import front

FIX = "Restart kube-proxy on this node: it rewrites the rules."


@fact
def ways(context: RulesetContext) -> Ways:
    """All ways with a fault; none where a table is missing from the text."""
    if not (context.knows_table("nat") and context.knows_table("filter")):
        return Ways((), ())
    return read_ways(context.ruleset, context.services)


def broken_ways(context: RulesetContext, *faults: WayFault) -> Iterator[BrokenWay]:
    """The ways that have one of these faults."""
    return (way for way in ways(context).broken if way.fault in faults)


def way_fault(way: BrokenWay, message: str, severity: Severity | None = None) -> Fault:
    """A fault of a way; `message` may say {chain}, {what} (its addresses) and {target}."""
    target = "" if way.rule is None else way.rule.target or ""
    place = NOWHERE if way.chain is None else at_chain(way.chain)
    return Fault(
        message.format(
            chain="" if way.chain is None else way.chain.name, what=named(map(_front, way.frontends)), target=target
        ),
        FIX,
        place if way.rule is None else at_rule(way.rule, focus=target),
        service=way.service.label,
        related=tuple(frontend.rule.line for frontend in way.frontends),
        severity=severity,
        key=way.fault.name,
    )


def _front(frontend: Frontend) -> str:
    return front(frontend.address, frontend.port)
