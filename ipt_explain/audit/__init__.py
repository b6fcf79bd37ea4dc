"""Opinions: the rules of the catalogue judge what the analyzers found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipt_explain.audit.findings.severity import Severity

if TYPE_CHECKING:
    from ipt_explain.audit.findings.finding import Finding
    from ipt_explain.model import Dump

__all__ = ["Severity", "audit"]


def audit(dump: Dump) -> list[Finding]:
    """Every finding in a dump, most severe first. An empty list means a healthy dump."""
    from ipt_explain.audit.runner import audit_dump

    report = audit_dump(dump)
    if report.unchecked:
        raise report.unchecked[0].error
    return list(report.findings)
