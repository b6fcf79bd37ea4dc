"""An audit's report as GitLab's Code Quality report: an array of issues, "Code Quality report format" in its manual."""

from __future__ import annotations

import hashlib
import json

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.runner import Report
from ipt_explain.render.audit.places import relative
from ipt_explain.render.text.safe import escape

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


def gitlab(report: Report) -> str:
    """The report as JSON text."""
    return json.dumps([_issue(finding) for finding in report.findings], indent=2) + "\n"


def _issue(finding: Finding) -> dict[str, object]:
    path = relative(finding.source)
    line = finding.line or 1  # GitLab drops issues without one
    # GitLab wants fingerprints unique in the report; ours are unique in a dump.
    digest = hashlib.sha256(f"{path}\0{finding.fingerprint}".encode("utf-8", "surrogateescape")).hexdigest()
    return {
        "description": escape(f"{finding.rule} {finding.subject}{finding.message}"),
        "check_name": f"{finding.rule}-{finding.name}",
        "fingerprint": digest,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": escape(path), "lines": {"begin": line}},
    }
