"""Output of `audit -o json`."""

from __future__ import annotations

from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.runner import Report
from ipt_explain.render.json_text import json_text

SCHEMA = "ipt-explain/audit/1"


def audit_json(report: Report) -> str:
    """The report as one JSON document."""
    document: dict[str, object] = {
        "schema": SCHEMA,
        "findings": [finding.to_json() for finding in report.findings],
        "summary": {severity.value: report.count(severity) for severity in Severity},
    }
    if report.not_compared:
        document["not_compared"] = [
            {"node": each.node, "family": each.family, "why": each.reason} for each in report.not_compared
        ]
    return json_text(document, indent=2) + "\n"
