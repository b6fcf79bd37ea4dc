"""An audit's report as SARIF 2.1.0 (OASIS standard, errata 01), for code scanning services and editors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote

from ipt_explain import __version__
from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.page import HEADINGS
from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.runner import Report
from ipt_explain.render.audit.places import relative
from ipt_explain.render.text.safe import escape

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

# The URI of the manual page that the package installs.
_MANUAL = "man:ipt-explain-rules(7)"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif(report: Report, rules: Iterable[AuditRule]) -> str:
    """The report as one SARIF log with one run. `rules` are all that ran, with or without findings."""
    checked = list(rules)
    index = {rule.id: number for number, rule in enumerate(checked)}
    run = {
        "tool": {
            "driver": {
                "name": "ipt-explain",
                "semanticVersion": __version__,
                "rules": [_descriptor(rule) for rule in checked],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, index) for finding in report.findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _descriptor(rule: AuditRule) -> dict[str, object]:
    page = rule.page
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.slug.split("-")),
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": page.sections["What it checks"]},
        "help": {
            "text": "\n\n".join(f"{heading}:\n{page.sections[heading]}" for heading in HEADINGS),
            "markdown": "\n\n".join(
                f"## {heading}\n\n{_markdown(heading, page.sections[heading])}" for heading in HEADINGS
            ),
        },
        "helpUri": f"{_MANUAL}#{rule.id}",
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": ["kubernetes", "iptables", rule.slug],
            "versions": rule.versions,
            "problem.severity": {"info": "recommendation"}.get(rule.severity.value, rule.severity.value),
            "precision": "very-high",
        },
    }


def _markdown(heading: str, text: str) -> str:
    return f"```\n{text}\n```" if heading == "Example" else text


def _result(finding: Finding, index: dict[str, int]) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": escape(f"{finding.subject}{finding.message}. {finding.help}")},
        "locations": [_location(finding)],
        "partialFingerprints": {"iptExplainFinding/v1": finding.fingerprint},
        "properties": {
            "service": finding.service,
            "family": finding.family.value,
            "table": finding.table,
            "chain": finding.chain,
        },
    }
    if finding.rule in index:
        result["ruleIndex"] = index[finding.rule]
    if finding.related_lines:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(finding.source, {"startLine": line})}
            for number, line in enumerate(finding.related_lines, 1)
        ]
    return result


def _location(finding: Finding) -> dict[str, object]:
    region: dict[str, object] | None = None
    if finding.line is not None:
        region = {"startLine": finding.line}
        if finding.columns is not None:
            start, end = finding.columns
            snippet = {"text": escape(finding.excerpt[start - 1 : end - 1])}
            region |= {"startColumn": start, "endColumn": end, "snippet": snippet}
    physical = _physical(finding.source, region)
    if finding.line is not None:
        physical["contextRegion"] = {"startLine": finding.line, "snippet": {"text": escape(finding.excerpt)}}
    location: dict[str, object] = {"physicalLocation": physical}
    if finding.chain is not None:
        location["logicalLocations"] = [
            {
                "name": escape(finding.chain),
                "fullyQualifiedName": escape(f"{finding.family.value}/{finding.table}/{finding.chain}"),
                "kind": "function",
            }
        ]
    return location


def _physical(source: str, region: dict[str, object] | None) -> dict[str, object]:
    path = relative(source)
    uri = quote(path.encode("utf-8", "surrogateescape"), safe="/")
    artifact = {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": "%SRCROOT%"}
    physical: dict[str, object] = {"artifactLocation": artifact}
    if region is not None:
        physical["region"] = region
    return physical
