"""The paths from a service port's addresses to its endpoints, and how rules report a broken one."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from ipt_explain.audit.authoring import NOWHERE, RESTART_RULES, Fault, RulesetContext, Severity, at_chain, at_rule
from ipt_explain.audit.evidence.balancing.balancers import first_few
from ipt_explain.audit.evidence.services.broken_paths import BrokenPath, PathFault, broken_paths
from ipt_explain.services.ports import Frontend
from ipt_explain.words import front

CAUSES = ("IPT415", "IPT504")
"""Rules that report why a path is broken."""


def path_faults(
    context: RulesetContext, effects: Mapping[PathFault, str], notes: Container[PathFault] = ()
) -> Iterator[Fault]:
    """The paths with one of these faults, as faults; those in `notes`, as notes. An effect may use {chain}, {what} (the
    path's addresses) and {target}."""
    for path in broken_paths(context):
        if path.fault in effects:
            yield _fault(path, effects[path.fault], Severity.INFO if path.fault in notes else None)


def _fault(path: BrokenPath, effect: str, severity: Severity | None) -> Fault:
    target = "" if path.rule is None else path.rule.target or ""
    place = NOWHERE if path.chain is None else at_chain(path.chain)
    return Fault(
        effect.format(
            chain="" if path.chain is None else path.chain.name,
            what=first_few(map(_front, path.frontends)),
            target=target,
        ),
        RESTART_RULES,
        place if path.rule is None else at_rule(path.rule, focus=target),
        service=path.service.label,
        related=tuple(frontend.rule.line for frontend in path.frontends),
        severity=severity,
        key=path.fault.name,
    )


def _front(frontend: Frontend) -> str:
    return front(frontend.address, frontend.port)
