"""Shortcuts for auditing a text."""

from __future__ import annotations

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.runner import audit_dump
from ipt_explain.model import Dump
from ipt_explain.parsing import read_dump


def audit_text(text: str, source: str = "-") -> list[Finding]:
    """All findings in a text. An exception in a rule fails the test."""
    return audit_read(read_dump(text, source=source))


def audit_read(dump: Dump) -> list[Finding]:
    """All findings in a dump."""
    report = audit_dump(dump)
    for unchecked in report.unchecked:
        raise AssertionError(str(unchecked)) from unchecked.error
    return list(report.findings)


def fired(text: str) -> set[str]:
    """The IDs of the rules with findings in a text."""
    return {finding.rule for finding in audit_text(text)}


def findings_of(rule_id: str, text: str) -> list[Finding]:
    """The findings of one rule in a text."""
    return [finding for finding in audit_text(text) if finding.rule == rule_id]
