"""Findings of `compare --objects`: where rules are not what the cluster's API objects ask, in the audit's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipt_explain.audit.finding import Finding, fingerprint
from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.cluster import RULES
from ipt_explain.audit.runner import Report
from ipt_explain.compare.objects.mismatches import Mismatch
from ipt_explain.source import SourceText

_RULES: Mapping[str, AuditRule] = {rule.slug: rule for rule in RULES}


def cluster_report(
    mismatches: Sequence[Mismatch], texts: Mapping[str, SourceText], rule_count: int, partial: bool
) -> Report:
    """The mismatches as a report. `texts` are the dumps' texts by source, from which findings quote their line."""
    findings = [_finding(mismatch, texts.get(mismatch.source)) for mismatch in mismatches]
    findings.sort(key=lambda each: (each.source, -each.severity.rank, each.service or "", each.rule))
    return Report(tuple(findings), (), rule_count, partial)


def _finding(mismatch: Mismatch, text: SourceText | None) -> Finding:
    rule = _RULES[mismatch.kind.value]
    line = mismatch.lines[0] if mismatch.lines else None
    excerpt = text.line(line) if text is not None and line is not None else ""
    return Finding(
        rule=rule.id,
        name=rule.slug,
        severity=rule.severity,
        message=mismatch.message,
        help=mismatch.help,
        source=mismatch.source,
        family=mismatch.family,
        service=mismatch.service,
        table="nat" if line is not None else None,
        chain=mismatch.chain if line is not None else None,
        line=line,
        related_lines=mismatch.lines[1:],
        excerpt=excerpt,
        columns=(1, len(excerpt) + 1) if excerpt.strip() else None,
        fingerprint=fingerprint(rule.id, mismatch.family.value, mismatch.service, mismatch.protocol, mismatch.message),
    )
