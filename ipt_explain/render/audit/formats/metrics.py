"""An audit's report as metrics: findings by dump and rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from ipt_explain import __version__
from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.runner import Report
from ipt_explain.render.openmetrics import Gauge, openmetrics


def audit_metrics(report: Report, rules: Iterable[AuditRule]) -> Iterator[str]:
    """The report in the OpenMetrics format. Each dump or node has a count per severity, even 0: alerts must resolve."""
    by_rule = Counter((source, finding.rule) for finding in report.findings for source in finding.found_on)
    severities = Counter((source, finding.severity) for finding in report.findings for source in finding.found_on)
    return openmetrics(
        (
            Gauge(
                "ipt_explain_findings",
                "Findings of the audit by severity.",
                (
                    ({"source": source, "severity": severity.value}, severities[source, severity])
                    for source in report.sources
                    for severity in Severity
                ),
            ),
            Gauge("ipt_explain_rule_findings", "Findings of the audit by rule.", _by_rule(report.findings, by_rule)),
            Gauge("ipt_explain_unchecked_rules", "Audit rules that failed.", [({}, len(report.unchecked))]),
            Gauge("ipt_explain_checked_rules", "Audit rules that were checked.", [({}, sum(1 for _ in rules))]),
            Gauge("ipt_explain_build_info", "The version of ipt-explain.", [({"version": __version__}, 1)]),
        )
    )


def _by_rule(
    findings: Iterable[Finding], number: Mapping[tuple[str, str], int]
) -> Iterator[tuple[Mapping[str, str], int]]:
    seen: set[tuple[str, str]] = set()
    for finding in findings:
        for source in finding.found_on:
            if (source, finding.rule) not in seen:
                seen.add((source, finding.rule))
                severity = finding.severity.value
                labels = {"source": source, "rule": finding.rule, "name": finding.name, "severity": severity}
                yield labels, number[source, finding.rule]
