"""Findings of `compare --objects`: rules that do not match the cluster's API objects, in the audit's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipt_explain.audit.findings.finding import Finding, fingerprint
from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.index import RULES
from ipt_explain.audit.runner import Report
from ipt_explain.compare.fleet.nodes import NotCompared
from ipt_explain.compare.objects.mismatches import Mismatch
from ipt_explain.model import Dump
from ipt_explain.model.dump import SourceText
from ipt_explain.words import counted, listed

_SHOWN_NODES = 5

_RULES: Mapping[str, AuditRule] = {rule.slug: rule for rule in RULES if not rule.asked}


def nodes_report(mismatches: Sequence[Mismatch], nodes: Sequence[str], not_compared: Sequence[NotCompared]) -> Report:
    """The mismatches of many nodes as a report; those on most nodes come first."""
    findings = [_finding(mismatch, None) for mismatch in mismatches]
    findings.sort(key=lambda each: (-each.severity.rank, -len(each.nodes), each.service or "", each.rule))
    return Report(
        tuple(findings), sources=tuple(nodes), not_compared=tuple(not_compared), node_count=len(nodes)
    )


def cluster_report(mismatches: Sequence[Mismatch], dumps: Sequence[Dump]) -> Report:
    """The mismatches as a report; findings quote their line from the dumps."""
    texts = {dump.source: dump.text for dump in dumps}
    findings = [_finding(mismatch, texts.get(mismatch.source)) for mismatch in mismatches]
    findings.sort(key=lambda each: (each.source, -each.severity.rank, each.service or "", each.rule))
    tables = [table for dump in dumps for ruleset in dump.rulesets for table in ruleset.tables.values()]
    partial = any(ruleset.fragment for dump in dumps for ruleset in dump.rulesets)
    listed_tables = [table for dump in dumps if dump.nft is not None for table in dump.nft.tables.values()]
    rule_count = sum(table.rule_count for table in tables) + sum(table.rule_count for table in listed_tables)
    failed = tuple(dict.fromkeys(each for dump in dumps for each in dump.failed))
    return Report(tuple(findings), (), rule_count, partial, sources=tuple(texts), failed=failed)


def _finding(mismatch: Mismatch, text: SourceText | None) -> Finding:
    rule = _RULES[mismatch.kind.value]
    line = mismatch.lines[0] if mismatch.lines else None
    excerpt = text.line(line) if text is not None and line is not None else mismatch.excerpt
    table, chain = mismatch.place or (None, None)
    return Finding(
        rule=rule.id,
        name=rule.slug,
        severity=rule.severity,
        message=f"{mismatch.message}{_on(mismatch.nodes)}",
        help=mismatch.help,
        source=mismatch.source,
        family=mismatch.family,
        service=mismatch.service,
        table=table,
        chain=chain,
        line=line,
        related_lines=mismatch.lines[1:],
        excerpt=excerpt,
        columns=(1, len(excerpt) + 1) if excerpt.strip() else None,
        nodes=mismatch.nodes,
        fingerprint=fingerprint(rule.id, mismatch.family.value, mismatch.service, mismatch.protocol, mismatch.message),
    )


def _on(nodes: Sequence[str]) -> str:
    """The nodes, if several were compared: their number and the first few names."""
    if not nodes:
        return ""
    shown = listed(nodes, _SHOWN_NODES)
    return f" (on {shown})" if len(nodes) == 1 else f" (on {counted(len(nodes), 'node')}: {shown})"
