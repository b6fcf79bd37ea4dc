"""Findings of `compare --objects`: where rules are not what the cluster's API objects ask, in the audit's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipt_explain.audit.finding import Finding, fingerprint
from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.index import RULES
from ipt_explain.audit.runner import Report
from ipt_explain.compare.objects.mismatches import Mismatch
from ipt_explain.model import Dump, Rule
from ipt_explain.source import SourceText

_RULES: Mapping[str, AuditRule] = {rule.slug: rule for rule in RULES if not rule.asked}


def cluster_report(mismatches: Sequence[Mismatch], dumps: Sequence[Dump]) -> Report:
    """The mismatches as a report; findings quote their line from the dumps."""
    texts = {dump.source: dump.text for dump in dumps}
    findings = [_finding(mismatch, texts.get(mismatch.source)) for mismatch in mismatches]
    findings.sort(key=lambda each: (each.source, -each.severity.rank, each.service or "", each.rule))
    tables = [table for dump in dumps for ruleset in dump.rulesets for table in ruleset.tables.values()]
    partial = any(ruleset.fragment for dump in dumps for ruleset in dump.rulesets)
    rule_count = sum(table.rule_count for table in tables)
    return Report(tuple(findings), (), rule_count, partial, sources=tuple(texts))


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
        table=None if mismatch.rule is None else _table_of(mismatch.rule),
        chain=None if mismatch.rule is None else mismatch.rule.chain,
        line=line,
        related_lines=mismatch.lines[1:],
        excerpt=excerpt,
        columns=(1, len(excerpt) + 1) if excerpt.strip() else None,
        fingerprint=fingerprint(rule.id, mismatch.family.value, mismatch.service, mismatch.protocol, mismatch.message),
    )


def _table_of(rule: Rule) -> str:
    """kube-proxy refuses connections in filter, and does all else in nat."""
    return "filter" if rule.target in ("REJECT", "DROP") else "nat"
