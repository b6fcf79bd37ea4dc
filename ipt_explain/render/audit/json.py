"""An audit's report as `audit -o json` prints it."""

from __future__ import annotations

import json

from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.runner import Report

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
            {"node": each.node, "family": each.family, "why": each.said} for each in report.not_compared
        ]
    # json.dumps does not escape DEL, as JSON need not. It occurs only inside strings.
    return json.dumps(document, indent=2).replace("\x7f", "\\u007f") + "\n"
