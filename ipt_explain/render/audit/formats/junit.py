"""An audit's report as JUnit XML, as CI servers show test results.

One test suite per source. Each finding is a test case, named by its rule and place: failed if its severity is at or
above `--fail-on`, else passed with the finding in its output. Each rule without findings is a passed test case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.runner import Report
from ipt_explain.render.text.safe import escape


def junit_xml(report: Report, rules: Iterable[AuditRule], sources: Sequence[str], fail_on: Severity | None) -> str:
    """The report as an XML document. `rules` are those that ran, `sources` the names of the dumps or nodes; without
    `fail_on`, nothing fails."""
    root = ElementTree.Element("testsuites", name="ipt-explain audit")
    checked = list(rules)
    found: dict[str, list[Finding]] = {source: [] for source in sources}
    for finding in report.findings:
        for source in finding.found_on:
            found.setdefault(source, []).append(finding)
    for source, findings in found.items():
        root.append(_suite(source, findings, checked, fail_on))
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(
    source: str, findings: Sequence[Finding], rules: Iterable[AuditRule], fail_on: Severity | None
) -> ElementTree.Element:
    found = {finding.rule for finding in findings}
    cases = [_case(finding, fail_on) for finding in findings]
    for rule in rules:
        if rule.id not in found:
            cases.append(ElementTree.Element("testcase", classname=f"ipt-explain.{rule.id}", name=rule.slug, time="0"))
    failures = sum(case.find("failure") is not None for case in cases)
    suite = ElementTree.Element(
        "testsuite",
        name=escape(source),
        tests=str(len(cases)),
        failures=str(failures),
        errors="0",
        skipped="0",
        time="0",
    )
    suite.extend(cases)
    return suite


def _case(finding: Finding, fail_on: Severity | None) -> ElementTree.Element:
    # No line number: a test must keep its name when lines move, or it loses its history.
    about = finding.service or finding.chain or finding.table
    case = ElementTree.Element(
        "testcase",
        classname=f"ipt-explain.{finding.rule}",
        name=escape(" ".join(part for part in (finding.name, about, finding.fingerprint) if part)),
        time="0",
    )
    message = escape(f"{finding.subject}{finding.message}")
    text = "\n".join(part for part in (_where(finding), message, escape(finding.help)) if part)
    if fail_on is not None and finding.severity >= fail_on:
        failure = ElementTree.SubElement(case, "failure", type=finding.severity.value, message=message)
        failure.text = text
    else:
        ElementTree.SubElement(case, "system-out").text = f"{finding.severity.value}: {text}"
    return case


def _where(finding: Finding) -> str:
    if finding.line is None:
        return escape(finding.source)
    return f"{escape(finding.source)}:{finding.line}: {escape(finding.excerpt)}"
