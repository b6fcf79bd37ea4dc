"""An audit's report for a person: grouped by service, each finding with its line, its effect and its remedy."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.audit.finding import Finding, Severity
from ipt_explain.audit.runner import Report
from ipt_explain.render.text.errors import quoted
from ipt_explain.render.text.paint import Paint, painter
from ipt_explain.render.text.safe import escape
from ipt_explain.words.counts import counted
from ipt_explain.words.lists import listed

INDENT = "  "
SHOWN_LINES = 12

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold blue"}


def audit_text(report: Report, width: int, color: bool = False, notes: bool = False) -> Iterator[str]:
    """The report in lines, line feeds included. Findings of severity info are shown where `notes` is true, else only
    counted.
    """
    paint = painter(color)
    shown = [finding for finding in report.findings if notes or finding.severity is not Severity.INFO]
    for service, findings in _groups(shown):
        yield paint(escape(service), "bold") + "\n"
        for finding in findings:
            yield from (f"{line}\n" for line in _finding(finding, width, paint))
        yield "\n"
    yield from (f"{line}\n" for line in _summary(report, len(report.findings) - len(shown), width, paint))


def _groups(findings: Iterable[Finding]) -> Iterator[tuple[str, list[Finding]]]:
    """Findings by service, those of the node first; the services in the order of their gravest finding."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.service or "", []).append(finding)
    node = groups.pop("", None)
    if node is not None:
        yield "the node's rules", node
    yield from groups.items()


def _finding(finding: Finding, width: int, paint: Paint) -> Iterator[str]:
    label = f"{finding.severity.value}[{finding.rule}]"
    first, *rest = _wrapped(f"{label} {escape(finding.message)}", width - len(INDENT), INDENT)
    yield INDENT + paint(label, _STYLES[finding.severity]) + first[len(label) :]
    yield from (INDENT + line for line in rest)
    yield INDENT * 2 + paint(_where(finding), "cyan")
    if finding.excerpt and finding.columns is not None:
        start, end = finding.columns
        line, caret = quoted(finding.excerpt, start - 1, end - start, width - 3 * len(INDENT))
        yield INDENT * 3 + line
        yield INDENT * 3 + paint(caret, _STYLES[finding.severity])
    yield from (
        INDENT * 2 + line for line in _wrapped(f"Fix: {escape(finding.help)}", width - 2 * len(INDENT), "     ")
    )


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(text, max(width, 20), subsequent_indent=indent, break_on_hyphens=False) or [""]


def _where(finding: Finding) -> str:
    parts = [_line(finding)]
    chain = " ".join(escape(part) for part in (finding.table, finding.chain) if part)
    if chain:
        parts.append(chain)
    if finding.related_lines:
        parts.append(_also(finding.related_lines))
    return " · ".join(parts)


def _line(finding: Finding) -> str:
    if finding.source == "-":
        return "standard input" if finding.line is None else f"line {finding.line}"
    line = "" if finding.line is None else f":{finding.line}"
    return f"{escape(finding.source)}{line}"


def _also(lines: Sequence[int]) -> str:
    return f"see also line{'s' if len(lines) > 1 else ''} {listed(map(str, lines), SHOWN_LINES)}"


def _summary(report: Report, hidden_notes: int, width: int, paint: Paint) -> Iterator[str]:
    errors, warnings, infos = (report.count(severity) for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO))
    rules = counted(report.rule_count, "rule")
    notes = counted(infos, "note") + (" (-v shows them)" if hidden_notes else "")
    if errors or warnings:
        text = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}, {notes} in {rules}"
    else:
        text = f"Nothing wrong in {rules}" + (f"; {notes}" if infos else "")
    if report.known:
        text += f"; {counted(report.known, 'known finding')} left out by the baseline"
    if report.elsewhere:
        text += f"; {counted(report.elsewhere, 'finding')} about other services or the node left out"
    style = "bold" if errors or warnings else "green"
    yield from (paint(line, style) for line in _wrapped(text, width, ""))
    if report.partial:
        yield from _wrapped("This is part of a ruleset: what it does not show was not judged.", width, "")
