"""An audit's report for people: most severe first, each group of findings with its line, its effect and its remedy."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.audit.findings.folding import grouped
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.runner import Report
from ipt_explain.render.audit.summary import by_source, verdict, wrapped
from ipt_explain.render.text.paint import Paint, painter
from ipt_explain.render.text.safe import escape


def audit_text(
    report: Report,
    width: int,
    color: bool = False,
    notes: bool = False,
    fold: bool = True,
    links: bool = False,
    unfolded_by: str = "--all",
) -> Iterator[str]:
    """The report in lines, including line feeds. Findings of severity info are shown with `notes`, else only counted.
    Without `fold`, similar findings are shown one by one, as the option `unfolded_by` does. `links` makes file names
    clickable."""
    paint = painter(color)
    shown = [finding for finding in report.findings if notes or finding.severity is not Severity.INFO]
    for group in grouped(shown, fold):
        from ipt_explain.render.audit.finding_lines import group_lines

        yield from (f"{line}\n" for line in group_lines(group, width, paint, links, unfolded_by))
        yield "\n"
    yield from (f"{line}\n" for line in _summary(report, len(report.findings) > len(shown), width, paint))


def _summary(report: Report, hidden_notes: bool, width: int, paint: Paint) -> Iterator[str]:
    graver = any(finding.severity is not Severity.INFO for finding in report.findings)
    if len(report.sources) > 1:
        yield from wrapped(" · ".join(escape(each) for each in by_source(report)), width, "")
    style = "bold" if graver else "green"
    yield from (paint(line, style) for line in wrapped(verdict(report, hidden_notes), width, ""))
    if report.partial:
        yield from wrapped("This is part of a ruleset: what it does not show was not judged.", width, "")
