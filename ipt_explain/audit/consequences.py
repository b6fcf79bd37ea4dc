"""One fault, one finding: consequences are left out where their cause is told."""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.audit.finding import Finding
from ipt_explain.audit.severity import Severity
from ipt_explain.records import dataclass, replace


def without_consequences(findings: list[Finding], yields_to: dict[str, tuple[str, ...]]) -> list[Finding]:
    """Findings about the same line as a more exact rule's are dropped: about a line that it shows, or showing the line
    that it is about.
    """
    shown: dict[tuple[str, str], set[int]] = {}
    primary: dict[tuple[str, str], set[int]] = {}
    for finding in findings:
        if finding.line is not None:
            key = (finding.rule, finding.source)
            primary.setdefault(key, set()).add(finding.line)
            shown.setdefault(key, {finding.line}).update((finding.line, *finding.related_lines))
    return [
        finding
        for finding in findings
        if finding.line is None
        or not any(
            finding.line in shown.get((other, finding.source), ())
            or not primary.get((other, finding.source), set[int]()).isdisjoint(finding.related_lines)
            for other in yields_to[finding.rule]
        )
    ]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a catch-all rule found: connections that are lost. `of_chain`: not one rule loses them, but a chain as a
    whole.
    """

    finding: Finding
    of_chain: bool


def with_effects(findings: Iterable[Finding], effects: Iterable[Effect]) -> list[Finding]:
    """All findings, and the effects whose cause none of them accuses. One that does is as grave as its effect."""
    told = list(findings)
    by_line: dict[object, list[int]] = {}
    by_chain: dict[object, list[int]] = {}
    for number, each in enumerate(told):
        if each.severity is not Severity.INFO:
            by_line.setdefault((each.source, each.line), []).append(number)
            by_chain.setdefault((each.source, each.family, each.table, each.chain), []).append(number)
    silent: list[Finding] = []
    for effect in effects:
        found = effect.finding
        named = by_line.get((found.source, found.line), []) if found.line is not None else []
        if effect.of_chain or found.line is None:
            named = [*named, *by_chain.get((found.source, found.family, found.table, found.chain), ())]
        if not named:
            silent.append(found)
        elif all(told[number].severity.rank < found.severity.rank for number in named):
            told[named[0]] = replace(told[named[0]], severity=found.severity)
    return told + silent
