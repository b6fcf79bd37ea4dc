"""An audit's report as Markdown: for a ticket, a comment, or the summary of a CI job."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipt_explain.audit.findings.folding import FindingGroup, grouped
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.runner import Report
from ipt_explain.render.audit.places import place
from ipt_explain.render.audit.summary import by_source, verdict
from ipt_explain.render.text.safe import escape
from ipt_explain.words import and_more, counted

SIGNS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "ℹ️"}

# GitHub cuts a job's summary at 1 MiB.
MOST_GROUPS = 100
MOST_PLACES = 20
MOST_EXCERPT = 2000

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@$])")


def markdown(report: Report) -> Iterator[str]:
    """The report in pieces of Markdown (GitHub's and GitLab's)."""
    yield f"## ipt-explain audit\n\n{as_text(verdict(report))}\n"
    nodes = list(by_source(report))
    if len(nodes) > 1:
        yield "\n" + "".join(f"- {as_text(each)}\n" for each in nodes)
    found = grouped(report.findings)
    if found:
        yield "\n| | rule | finds | where |\n| --- | --- | --- | --- |\n"
        for group in found[:MOST_GROUPS]:
            yield _row(group)
    for group in found[:MOST_GROUPS]:
        yield from _details(group)
    if len(found) > MOST_GROUPS:
        yield f"\n…{and_more(len(found) - MOST_GROUPS, 'fault')}.\n"


def _row(group: FindingGroup) -> str:
    finding = group.example
    where = _code(place(finding)) + and_more(len(group.findings) - 1, "place")
    return f"| {SIGNS[finding.severity]} | {finding.rule} {finding.name} | {_said(group)} | {where} |\n"


def _said(group: FindingGroup) -> str:
    finding = group.example
    many = len(group.services)
    among = f"{counted(many, 'service port')}, such as " if many > 1 and finding.service else ""
    return _prose(f"{among}{finding.subject}{finding.message}")


def _details(group: FindingGroup) -> Iterator[str]:
    finding = group.example
    yield f"\n<details><summary>{finding.rule} {finding.name}: {counted(len(group.findings), 'finding')}</summary>\n\n"
    if finding.excerpt:
        yield f"{code_block(escape(finding.excerpt[:MOST_EXCERPT]))}\n"
    yield f"Fix: {_prose(finding.help)}\n\nMore: {_code(finding.docs)}\n\n"
    for each in group.findings[:MOST_PLACES]:
        subject = f" {as_text(each.service)}" if each.service else ""
        yield f"- {_code(place(each))}{subject}\n"
    if len(group.findings) > MOST_PLACES:
        yield f"- …{and_more(len(group.findings) - MOST_PLACES, 'finding')}\n"
    yield "\n</details>\n"


def code_block(text: str) -> str:
    """Lines in a code block that backticks in them cannot end."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}\n{text}\n{fence}\n"


def as_text(text: str) -> str:
    """Text escaped so that nothing in it is Markdown, HTML, a mention or a table's bar."""
    return _SPECIAL.sub(r"\\\1", escape(text)).replace("://", ":&#8203;//")


def _prose(text: str) -> str:
    """Text escaped likewise, but what is between backticks is code, to be copied as it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0 or not all(parts[1::2]):
        return as_text(text)
    return "".join(_code(escape(part)) if number % 2 else as_text(part) for number, part in enumerate(parts))


def _code(text: str) -> str:
    """Text as code, on one line of a table."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " if fence != "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", "\\|")
