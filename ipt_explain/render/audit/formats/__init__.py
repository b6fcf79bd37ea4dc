"""The formats of an audit's report, by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.audit.findings.severity import Severity
    from ipt_explain.audit.rule import AuditRule
    from ipt_explain.audit.runner import Report

FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "junit", "markdown", "openmetrics")


class Style(Record):
    """Layout of text: see `audit_text`; `statistics` replaces findings, if there are any, by counts per rule."""

    width: int
    color: bool = False
    notes: bool = False
    fold: bool = True
    links: bool = False
    statistics: bool = False
    unfolded_by: str = "--all"


def rendered(
    report: Report, output: str, rules: Sequence[AuditRule], fail_on: Severity | None, style: Style
) -> Iterable[str]:
    """The report in one of FORMATS. `rules` are those that ran; findings at or above `fail_on` are failed tests."""
    if output == "concise":
        from ipt_explain.render.audit.formats.concise import concise

        return concise(report)
    if output == "json":
        from ipt_explain.render.audit.formats.json import audit_json

        return [audit_json(report)]
    if output == "sarif":
        from ipt_explain.render.audit.formats.sarif import sarif

        return [sarif(report, rules)]
    if output == "github":
        from ipt_explain.render.audit.formats.github import github_annotations

        return github_annotations(report)
    if output == "gitlab":
        from ipt_explain.render.audit.formats.gitlab import gitlab

        return [gitlab(report)]
    if output == "junit":
        from ipt_explain.render.audit.formats.junit import junit_xml

        return [junit_xml(report, rules, report.sources, fail_on)]
    if output == "markdown":
        from ipt_explain.render.audit.formats.markdown import markdown

        return markdown(report)
    if output == "openmetrics":
        from ipt_explain.render.audit.formats.metrics import audit_metrics

        return audit_metrics(report, rules)
    return _text(report, style)


def _text(report: Report, style: Style) -> Iterable[str]:
    if style.statistics and report.findings:
        from ipt_explain.render.audit.summary import statistics
        from ipt_explain.render.text.paint import painter

        return statistics(report, painter(style.color))
    from ipt_explain.render.audit.formats.text import audit_text

    return audit_text(report, style.width, style.color, style.notes, style.fold, style.links, style.unfolded_by)
