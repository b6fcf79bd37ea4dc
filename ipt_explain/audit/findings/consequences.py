"""One fault, one finding: consequences are left out if their cause is reported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.rule import AuditRule
from ipt_explain.records import Record, replace


def without_consequences(findings: Sequence[Finding], rules: Iterable[AuditRule]) -> list[Finding]:
    """Drop findings that a more specific rule makes needless: they are about a line that its finding shows, or show the
    line that its finding is about."""
    reported: dict[tuple[str, str], _Lines] = defaultdict(_Lines)
    general = {rule.id for rule in rules if rule.general}
    for finding in findings:
        if finding.line is not None:
            reported[finding.rule, finding.source].add(finding)
            if finding.rule not in general and finding.severity is not Severity.INFO:
                reported[_EXACT, finding.source].add(finding)
    above = {rule.id: (*rule.yields_to, _EXACT) if rule.general else rule.yields_to for rule in rules}
    return [
        finding
        for finding in findings
        if not any(
            (other, finding.source) in reported and reported[other, finding.source].explain(finding)
            for other in above[finding.rule]
        )
    ]


# Means all rules that know what a line is for.
_EXACT = "exact"


class _Lines:
    """The lines that findings are about, and all lines that they show."""

    def __init__(self) -> None:
        self._primary: set[int] = set()
        self._shown: set[int] = set()

    def add(self, finding: Finding) -> None:
        if finding.line is not None:
            self._primary.add(finding.line)
            self._shown.update((finding.line, *finding.related_lines))

    def explain(self, finding: Finding) -> bool:
        return finding.line in self._shown or (
            finding.line is not None and not self._primary.isdisjoint(finding.related_lines)
        )


class LossFinding(Record):
    """A catch-all rule's finding: connections that are lost. `of_chain`: a chain as a whole loses them, not one rule.
    """

    finding: Finding
    of_chain: bool


def with_effects(findings: Iterable[Finding], effects: Iterable[LossFinding]) -> list[Finding]:
    """All findings, and the effects whose cause none of them reports. A finding that reports the cause becomes as
    severe as its effect, and gets its impact. What a chain as a whole loses is reported if each frontend is."""
    reported = list(findings)
    by_line: dict[object, list[int]] = {}
    by_chain: dict[object, list[int]] = {}
    by_related: dict[object, list[int]] = {}
    for number, each in enumerate(reported):
        if each.severity is not Severity.INFO:
            by_line.setdefault((each.source, each.line), []).append(number)
            by_chain.setdefault((each.source, each.family, each.table, each.chain), []).append(number)
            for line in each.related_lines:
                by_related.setdefault((each.source, line), []).append(number)
    silent: list[Finding] = []
    for effect in effects:
        found = effect.finding
        named = by_line.get((found.source, found.line), []) if found.line is not None else []
        if effect.of_chain or found.line is None:
            named = [*named, *by_chain.get((found.source, found.family, found.table, found.chain), ())]
            if not named:  # a finding about several chains is at the first
                named = by_related.get((found.source, found.line), [])
        if effect.of_chain and found.chain is not None and not named and found.related_lines:
            told = [by_line.get((found.source, line), []) for line in found.related_lines]
            if all(told):  # of each frontend that loses connections
                for number in {number for numbers in told for number in numbers}:
                    if reported[number].severity.rank < found.severity.rank:
                        reported[number] = replace(reported[number], severity=found.severity)
                continue
        if not named:
            silent.append(found)
            continue
        if all(reported[number].severity.rank < found.severity.rank for number in named):
            reported[named[0]] = replace(reported[named[0]], severity=found.severity)
        for number in dict.fromkeys(named):
            reported[number] = replace(reported[number], impact=reported[number].impact + found.impact)
    return reported + silent
