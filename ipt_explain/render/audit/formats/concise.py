"""An audit's report with one line per finding: `node.txt:97:122: IPT202 error shop/cart: 25 % of …`."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.audit.runner import Report
from ipt_explain.render.audit.places import place
from ipt_explain.render.text.safe import escape


def concise(report: Report) -> Iterator[str]:
    """One line per finding, including its line feed."""
    for finding in report.findings:
        message = escape(f"{finding.subject}{finding.message}")
        yield f"{place(finding)}: {finding.rule} {finding.severity.value} {message}\n"
