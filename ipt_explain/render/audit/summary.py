"""An audit summed up: in a sentence or two, by node, and by rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.folding import counts
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.runner import Report
from ipt_explain.render.text.paint import Paint
from ipt_explain.words import and_more, both, counted

NOUNS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold blue"}

SHOWN_SOURCES = 10


def verdict(report: Report, hidden_notes: bool = False) -> str:
    """`1 error, 0 warnings, 3 notes in 812 rules`, and what was left out. `hidden_notes`: notes are counted but not
    shown."""
    found = counts(report.findings)
    size = report.rule_count or report.server_count or report.node_count
    if not size and not report.findings and report.sources:
        from ipt_explain.services.absence import FLUSHED

        shown = "this input shows no rules" if report.partial or report.failed else FLUSHED
        absent = f"Nothing to check: {shown if report.table_count else 'there are no rule tables in this input'}"
        return absent + _unknown(report)
    alone = report.server_count and not report.rule_count
    where = f"in {counted(report.server_count, 'virtual server') if alone else counted(report.rule_count, 'rule')}"
    if report.node_count:
        where = f"on {counted(report.node_count, 'node')}"
    hint = f" (-v shows {'it' if found[Severity.INFO] == 1 else 'them'})" if hidden_notes else ""
    notes = counted(found[Severity.INFO], "note") + hint
    if found[Severity.ERROR] or found[Severity.WARNING]:
        graver = (counted(found[severity], NOUNS[severity]) for severity in (Severity.ERROR, Severity.WARNING))
        text = f"{', '.join(graver)}, {notes} {where}"
    else:
        text = f"{_well(report, found[Severity.INFO])} {where}" + (f"; {notes}" if found[Severity.INFO] else "")
    if report.known:
        text += f"; {counted(report.known, 'known finding')} left out by the baseline"
    if report.spared:
        text += f"; {counted(report.spared, 'finding')} left out by comments or the configuration"
    if report.unchecked:
        text += f"; {counted(len(report.unchecked), 'audit rule')} could not be checked"
    text += _unknown(report)
    if report.elsewhere:
        text += f"; {counted(report.elsewhere, 'finding')} about other Services or the node left out"
    return text


def _unknown(report: Report) -> str:
    """The rules that are unknown, as a tool failed."""
    unknown = list(dict.fromkeys(each.unknown for each in report.failed))
    return f"; {both(unknown)} are unknown" if unknown else ""


def _well(report: Report, notes: int) -> str:
    """The words for no errors and no warnings; more cautious if there are notes, or if findings were left out."""
    if report.known:
        return "Nothing new"
    if report.spared:
        return "Nothing else wrong"
    what = "No errors or warnings" if notes or report.unchecked or report.failed else "Nothing wrong"
    return f"{what} with these Services" if report.elsewhere else what


def by_source(report: Report) -> Iterator[str]:
    """`node-1.txt 400 errors`, worst first, and the number of clean dumps, or those where a baseline knows the rest."""
    findings: dict[str, list[Finding]] = {source: [] for source in report.sources}
    for finding in report.findings:
        for source in finding.found_on:
            findings.setdefault(source, []).append(finding)
    found = {source: counts(each) for source, each in findings.items()}
    bad = [source for source, number in found.items() if number[Severity.ERROR] or number[Severity.WARNING]]
    bad.sort(key=lambda source: [-number for number in found[source].values()])
    noun = "node" if report.node_count else "dump"
    for source in bad[:SHOWN_SOURCES]:
        graver = (severity for severity in (Severity.ERROR, Severity.WARNING) if found[source][severity])
        yield f"{source} {', '.join(counted(found[source][severity], NOUNS[severity]) for severity in graver)}"
    if len(bad) > SHOWN_SOURCES:
        yield f"…{and_more(len(bad) - SHOWN_SOURCES, noun)}"
    unsure = {*(each.source for each in report.unchecked), *(each.node for each in report.not_compared)}
    unsure |= {each.source for each in report.failed}
    clean = sum(source not in unsure for source in found.keys() - set(bad))
    if clean:
        yield f"{counted(clean, noun)} {'with nothing new' if report.known else 'clean'}"


def statistics(report: Report, paint: Paint) -> Iterator[str]:
    """The number of findings per rule, most first: one line each, including its line feed."""
    number = Counter((finding.rule, finding.name, finding.severity) for finding in report.findings)
    width = max((len(f"{count:,}") for count in number.values()), default=0)
    for (rule, name, severity), count in sorted(number.items(), key=lambda entry: (-entry[1], entry[0][0])):
        yield f"{count:>{width},}  {rule}  {paint(f'{severity.value:7}', STYLES[severity])}  {name}\n"


def wrapped(text: str, width: int, indent: str) -> list[str]:
    """A text in lines of a width, at least one; `indent` begins all but the first."""
    if 0 < len(text) <= width and not text.endswith(" "):
        return [text]
    from ipt_explain.render.text.prose import prose_lines

    return prose_lines(text, max(width, 20), indent)
