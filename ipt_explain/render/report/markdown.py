"""A report in brief, as Markdown: for a ticket or a comment."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.audit.runner import Report
from ipt_explain.render.audit.formats.markdown import as_text, code_block, markdown
from ipt_explain.render.report.document import Document
from ipt_explain.words import and_more, counted

MOST_SERVICES = 50


def report_markdown(document: Document, report: Report) -> Iterator[str]:
    """The report in pieces: the node, what is wrong, and Services, those with problems first."""
    yield f"# {as_text(document.title)}\n\n"
    for lines in document.rulesets:
        yield "\\\n".join(map(as_text, lines)) + "\n\n"
    if document.health:
        yield code_block("\n".join(document.health)) + "\n"
    yield from markdown(report)
    text = as_text(document.absence) or f"{counted(len(document.services), 'service port')}."
    yield f"\n## Services\n\n{text}\n\n"
    if document.services:
        yield "| Service | type | address | endpoints | problem |\n| --- | --- | --- | --- | --- |\n"
    for service in document.services[:MOST_SERVICES]:
        problems = ", ".join(part for part in (service.state, *(rule for _, rule in service.problems)) if part)
        words = (f"{service.name} {service.protocol}", service.kinds, service.addresses, service.endpoints, problems)
        yield f"| {' | '.join(as_text(str(word)) for word in words)} |\n"
    if len(document.services) > MOST_SERVICES:
        yield f"\n…{and_more(len(document.services) - MOST_SERVICES, 'service port')}.\n"
