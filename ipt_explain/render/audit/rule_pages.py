"""The audit's catalogue: as a list, as pages, as JSON, and as README's table."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby

from ipt_explain.audit.page import HEADINGS
from ipt_explain.audit.rule import AuditRule
from ipt_explain.render.help.topic_text import INDENT, LONGEST_LINE
from ipt_explain.render.text.paint import painter
from ipt_explain.render.text.prose import prose_lines

SCHEMA = "ipt-explain/rules/1"

# Columns for titles. With fewer, titles go below.
_NARROWEST = 30

_STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold blue"}


def catalogue_text(rules: Iterable[AuditRule], width: int, color: bool = False) -> Iterator[str]:
    """One line per rule: ID, severity, slug and title."""
    paint = painter(color)
    listed = list(rules)
    column = max((len(rule.slug) for rule in listed), default=0)
    for rule in listed:
        severity = rule.severity.value
        shown = paint(f"{severity:7}", _STYLES[severity])
        indent = len(f"{rule.id}  {severity:7}  {rule.slug:{column}}  ")
        if width - indent < _NARROWEST:
            gap = "  " if len(f"{rule.id}  {severity:7}  {rule.slug}") <= width else f"\n{INDENT}"
            yield f"{rule.id}  {shown}{gap}{rule.slug}\n"
            yield textwrap.indent(textwrap.fill(rule.title, width - len(INDENT), break_on_hyphens=False), INDENT) + "\n"
            continue
        title = textwrap.wrap(rule.title, width - indent, break_on_hyphens=False)
        yield f"{rule.id}  {shown}  {rule.slug:{column}}  {title[0]}\n"
        yield from (" " * indent + line + "\n" for line in title[1:])
    yield "\n" + textwrap.fill("`ipt-explain rules ID` prints a rule's page.", width) + "\n"


def pages_text(rules: Iterable[AuditRule], width: int, color: bool = False) -> Iterator[str]:
    """The pages of rules, in lines of at most `width` columns."""
    paint = painter(color)
    prose = min(width, LONGEST_LINE)
    for number, rule in enumerate(rules):
        page = rule.page
        if number:
            yield "\n" + "-" * min(72, width) + "\n\n"
        severity = rule.severity.value
        kind = paint(severity, _STYLES[severity])
        releases = "all releases" if rule.versions == "all" else rule.versions
        about = textwrap.fill(f"{severity}; kube-proxy: {releases}", width).replace(severity, kind, 1)
        title = textwrap.fill(page.title, prose, break_on_hyphens=False)
        yield f"{paint(f'{rule.id} {rule.slug}', 'bold')}\n{about}\n\n{title}\n"
        for heading in HEADINGS:
            lines = _example if heading == "Example" else _prose
            text = "\n".join(lines(page.sections[heading], prose - len(INDENT)))
            yield "\n" + paint(heading, "bold") + "\n" + textwrap.indent(text, INDENT) + "\n"


def _prose(text: str, width: int) -> Iterator[str]:
    """Rewrap paragraphs; indented lines, such as commands, stay as they are."""
    for indented, lines in groupby(text.split("\n"), lambda line: not line or line[0].isspace()):
        given = list(lines)
        for line in given if indented else [" ".join(given)]:
            yield from prose_lines(line, width)


def _example(text: str, width: int) -> Iterator[str]:
    """A rule that the page breaks into several lines is joined, then wrapped; lines inside braces are indented."""
    lines: list[str] = []
    for line in text.split("\n"):
        if line[:1].isspace() and lines and lines[-1].startswith(("-A ", "[")):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    depth = 0
    for line in lines:
        depth -= line.startswith("}")
        yield from prose_lines(INDENT * depth + line, width, INDENT * (depth + 1))
        depth += line.endswith("{")


def catalogue_json(rules: Iterable[AuditRule]) -> str:
    """The catalogue with its pages as JSON."""
    listed = [
        {
            "id": rule.id,
            "name": rule.slug,
            "severity": rule.severity.value,
            "versions": rule.versions,
            "title": rule.title,
            "page": rule.page.sections,
        }
        for rule in rules
    ]
    return json.dumps({"schema": SCHEMA, "rules": listed}, indent=2) + "\n"


def catalogue_markdown(rules: Iterable[AuditRule]) -> str:
    """The table between README's markers."""
    rows = [
        f"| {rule.id} | {rule.slug} | {rule.severity.value} | {_cell(rule.title)} | {_cell(rule.versions)} |"
        for rule in rules
    ]
    return "\n".join(["| ID | name | severity | finds | versions |", "| --- | --- | --- | --- | --- |", *rows]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
