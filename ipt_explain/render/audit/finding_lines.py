"""A group of findings in an audit's report for people: the finding, its line, its other places, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.folding import FindingGroup
from ipt_explain.render.audit.excerpts import excerpt
from ipt_explain.render.audit.places import place
from ipt_explain.render.audit.summary import STYLES, wrapped
from ipt_explain.render.text.links import file_link
from ipt_explain.render.text.paint import Paint
from ipt_explain.render.text.safe import cells, escape
from ipt_explain.words import and_more, counted

INDENT = "  "
SHOWN_LINES = 12
# How many places of similar findings are named besides the one shown.
SHOWN_ALIKE = 4


def group_lines(group: FindingGroup, width: int, paint: Paint, links: bool, unfolded_by: str) -> Iterator[str]:
    """The lines of a group. `links` makes file names clickable; the option `unfolded_by` shows each finding."""
    finding = group.example
    label = f"{finding.severity.value}[{finding.rule} {finding.name}]"
    first, *rest = wrapped(f"{label} {escape(_subject(group) + finding.message)}", width, INDENT)
    yield paint(first[: len(label)], STYLES[finding.severity]) + first[len(label) :]
    yield from rest
    yield from _where(finding, width, paint, links)
    if finding.excerpt and finding.columns is not None:
        line, caret = excerpt(finding, width - 2 * len(INDENT))
        yield INDENT * 2 + line
        yield INDENT * 2 + paint(caret, STYLES[finding.severity])
    yield from _alike(group, width, links, unfolded_by)
    yield from _remedy(finding, width, paint)


def _subject(group: FindingGroup) -> str:
    """What it is about: `shop/cart:http: `, `400 service ports, such as shop/cart:http: `."""
    finding = group.example
    if len(group.findings) == 1:
        return finding.subject
    many = len(group.services)
    if many > 1:
        first = finding.subject if finding.service else f"{group.services[0]}: "
        return f"{counted(many, 'service port')}, such as {first}"
    on = f" in {counted(len(group.sources), 'dump')}" if len(group.sources) > 1 else ""
    return f"{finding.service or 'The node'}{on}, {len(group.findings):,} times: "


def _where(finding: Finding, width: int, paint: Paint, links: bool) -> Iterator[str]:
    shown = place(finding)
    parts = [" ".join(escape(part) for part in (finding.table, finding.chain) if part)]
    if finding.related_lines:
        parts.append(_also(finding.related_lines))
    text = " · ".join(part for part in [shown, *parts] if part)
    first, *rest = wrapped(text, width - len(INDENT), INDENT)
    if links and first.startswith(shown):
        first = paint(file_link(shown, finding.source), "cyan") + paint(first[len(shown) :], "cyan")
    else:
        first = paint(first, "cyan")
    yield INDENT + first
    yield from (INDENT + paint(line, "cyan") for line in rest)


def _also(lines: Sequence[int]) -> str:
    named = ", ".join(map(str, sorted(lines)[:SHOWN_LINES]))
    return f"see also line{'s' if len(lines) > 1 else ''} {named}{and_more(len(lines) - SHOWN_LINES)}"


def _alike(group: FindingGroup, width: int, links: bool, unfolded_by: str) -> Iterator[str]:
    """Other places of the same finding: a few, on one line if they fit, and how many more."""
    others = group.findings[1:]
    if not others:
        return
    shown = [
        (each, f"{place(each)}{f'  {escape(each.service)}' if each.service else ''}") for each in others[:SHOWN_ALIKE]
    ]
    column = max(cells(text) for _, text in shown)
    room = width - 2 * len(INDENT)
    each_row = max(1, min(len(shown), (room + 4) // (column + 4)))
    yield INDENT + "Also:"
    for start in range(0, len(shown), each_row):
        row = shown[start : start + each_row]
        pieces = []
        for each, text in row:
            text = text if cells(text) <= room else text[: room - 1] + "…"
            linked = file_link(text, each.source) if links else text
            pieces.append(linked + " " * (column - cells(text)))
        yield INDENT * 2 + (" " * 4).join(pieces).rstrip()
    if len(others) > len(shown):
        yield INDENT * 2 + f"…{and_more(len(others) - len(shown), 'finding')} ({unfolded_by})"


def _remedy(finding: Finding, width: int, paint: Paint) -> Iterator[str]:
    """What to do, then where the rule's page is, at the end of the same line if it fits."""
    more = f"More: {finding.docs}"
    lines = wrapped(f"Fix: {escape(finding.help)}", width - len(INDENT), "     ")
    room = width - len(INDENT) - cells(lines[-1])
    if room >= len(more) + 3:
        lines[-1] += " " * 3 + paint(more, "dim")
    else:
        lines.append(paint(more, "dim"))
    yield from (INDENT + line for line in lines)
