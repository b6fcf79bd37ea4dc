"""Groups similar findings, which are reported once, however many Services and nodes they apply to."""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.audit.findings.finding import Finding, by_impact
from ipt_explain.audit.findings.impact import NO_IMPACT
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import Record, replace

# What differs between similar findings: Services, chains named after hashes, addresses, numbers.
_PARTICULARS = lazy_pattern(
    r"[a-z0-9][\w.-]*/[a-z0-9][\w.-]*(?::[\w-]+)?"
    r"|[A-Z]+(?:-[A-Z]+)*-[A-Z2-7]{16}"
    r"|\[?[0-9a-f]*(?::[0-9a-f]*){2,}\]?(?::\d+)?"
    r"|\d[\d.,:/]*"
)


class FindingGroup(Record):
    """Findings of one rule that differ only in names and numbers, in order."""

    findings: tuple[Finding, ...]

    @property
    def example(self) -> Finding:
        """The finding that represents all."""
        return self.findings[0]

    @property
    def services(self) -> tuple[str, ...]:
        """The Services that it applies to."""
        named = (name for finding in self.findings for name in (finding.service, *finding.services) if name)
        return tuple(dict.fromkeys(named))

    @property
    def sources(self) -> tuple[str, ...]:
        """The dumps that it occurs in."""
        return tuple(dict.fromkeys(finding.source for finding in self.findings))


def grouped(findings: Iterable[Finding], fold: bool = True) -> list[FindingGroup]:
    """The findings in groups, sorted `by_impact` of everything in them. Without `fold` each finding is a group of its
    own."""
    alike: dict[object, list[Finding]] = {}
    for number, finding in enumerate(findings):
        key = (finding.rule, finding.severity, finding.service is None, _template(finding)) if fold else number
        alike.setdefault(key, []).append(finding)
    groups = [FindingGroup(tuple(same)) for same in alike.values()]
    groups.sort(key=_order)
    return groups


def _order(group: FindingGroup) -> tuple[object, ...]:
    impact = sum((finding.impact for finding in group.findings), NO_IMPACT)
    return by_impact(replace(group.example, impact=impact, services=group.services))


def _template(finding: Finding) -> str:
    text = finding.message
    for name in (finding.service, finding.chain):
        if name:
            text = text.replace(name, "#")
    return _PARTICULARS.sub("#", text)


def counts(findings: Iterable[Finding]) -> dict[Severity, int]:
    """The number of findings of each severity, most severe first."""
    found = dict.fromkeys(Severity, 0)
    for finding in findings:
        found[finding.severity] += 1
    return found
