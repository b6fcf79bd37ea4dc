"""The paths from a service port's addresses to its endpoints, and how rules report a broken one."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from ipt_explain.audit.authoring import NOWHERE, RESTART_RULES, Fault, RulesetContext, Severity, at_chain, at_rule
from ipt_explain.audit.evidence.balancing.balancers import first_few
from ipt_explain.audit.evidence.services.broken_ways import BrokenWay, WayFault, broken_ways
from ipt_explain.services.ports import Frontend
from ipt_explain.words import front

CAUSES = ("IPT415", "IPT504")
"""Rules that report why a path is broken."""


def way_faults(
    context: RulesetContext, effects: Mapping[WayFault, str], notes: Container[WayFault] = ()
) -> Iterator[Fault]:
    """The paths with one of these faults, as faults; those in `notes`, as notes. An effect may use {chain}, {what} (the
    path's addresses) and {target}."""
    for way in broken_ways(context):
        if way.fault in effects:
            yield _fault(way, effects[way.fault], Severity.INFO if way.fault in notes else None)


def _fault(way: BrokenWay, effect: str, severity: Severity | None) -> Fault:
    target = "" if way.rule is None else way.rule.target or ""
    place = NOWHERE if way.chain is None else at_chain(way.chain)
    return Fault(
        effect.format(
            chain="" if way.chain is None else way.chain.name, what=first_few(map(_front, way.frontends)), target=target
        ),
        RESTART_RULES,
        place if way.rule is None else at_rule(way.rule, focus=target),
        service=way.service.label,
        related=tuple(frontend.rule.line for frontend in way.frontends),
        severity=severity,
        key=way.fault.name,
    )


def _front(frontend: Frontend) -> str:
    return front(frontend.address, frontend.port)
