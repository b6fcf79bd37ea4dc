"""An audit's report as GitHub workflow commands, which become annotations of a pull request's files.

Format: "Workflow commands for GitHub Actions", `::warning file=…,line=…,col=…,endColumn=…,title=…::message`; `%`, CR
and LF are percent-escaped, in properties `:` and `,` too.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.runner import Report
from ipt_explain.render.audit.places import relative
from ipt_explain.render.text.safe import escape

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def github_annotations(report: Report) -> Iterator[str]:
    """One line per finding, including its line feed."""
    for finding in report.findings:
        properties = ",".join(f"{name}={_property(value)}" for name, value in _properties(finding))
        message = _data(f"{escape(finding.subject + finding.message)}\n{escape(finding.help)}")
        yield f"::{_COMMANDS[finding.severity]} {properties}::{message}\n"


def _properties(finding: Finding) -> Iterator[tuple[str, str]]:
    if finding.source != "-":
        yield "file", relative(finding.source)
    if finding.line is not None:
        yield "line", str(finding.line)
    if finding.line is not None and finding.columns is not None:
        start, end = finding.columns
        yield "col", str(start)
        yield "endColumn", str(end)
    yield "title", f"{finding.rule} {finding.name}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(escape(text)).replace(":", "%3A").replace(",", "%2C")
