"""The audit's catalogue: as a list, as pages, as JSON, and as the table that README shows."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator

from ipt_explain.audit.page import HEADINGS
from ipt_explain.audit.rule import AuditRule
from ipt_explain.render.text.paint import painter

SCHEMA = "ipt-explain/rules/1"

_STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold blue"}


def catalogue_text(rules: Iterable[AuditRule], width: int, color: bool = False) -> Iterator[str]:
    """One line a rule: ID, severity, slug and title."""
    paint = painter(color)
    listed = list(rules)
    column = max((len(rule.slug) for rule in listed), default=0)
    for rule in listed:
        severity = rule.severity.value
        head = f"{rule.id}  {severity:7}  {rule.slug:{column}}  "
        title = textwrap.wrap(rule.title, max(width - len(head), 30))
        yield f"{rule.id}  {paint(f'{severity:7}', _STYLES[severity])}  {rule.slug:{column}}  {title[0]}\n"
        yield from (" " * len(head) + line + "\n" for line in title[1:])
    yield "\n`ipt-explain rules ID` prints a rule's page.\n"


def pages_text(rules: Iterable[AuditRule], color: bool = False) -> Iterator[str]:
    """The pages of rules, one after another."""
    paint = painter(color)
    for number, rule in enumerate(rules):
        page = rule.page
        if number:
            yield "\n" + "-" * 72 + "\n\n"
        severity = rule.severity.value
        kind = paint(severity, _STYLES[severity])
        yield f"{paint(f'{rule.id} {rule.slug}', 'bold')} ({kind}; kube-proxy versions: {rule.versions})\n\n"
        yield page.title + "\n"
        for heading in HEADINGS:
            yield "\n" + paint(heading, "bold") + "\n" + textwrap.indent(page.sections[heading], "    ") + "\n"


def catalogue_json(rules: Iterable[AuditRule]) -> str:
    """The catalogue with its pages, for programs."""
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
    """The table that README shows between its markers."""
    rows = [
        f"| {rule.id} | {rule.slug} | {rule.severity.value} | {_cell(rule.title)} | {_cell(rule.versions)} |"
        for rule in rules
    ]
    return "\n".join(["| ID | name | severity | finds | versions |", "| --- | --- | --- | --- | --- |", *rows]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
