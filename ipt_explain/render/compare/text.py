"""Differences of two dumps for people: a changelog of Services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.columns import columns
from ipt_explain.compare.differences import Difference, DifferenceKind
from ipt_explain.compare.dumps import Comparison
from ipt_explain.model import Family
from ipt_explain.render.compare.subjects import STYLES, SUBJECT, changed_rules, heading, tally, wrapped_text
from ipt_explain.render.text.paint import painter
from ipt_explain.render.text.safe import escape
from ipt_explain.words import both, counted, family_name

_Subject = tuple["str | None", "str | None", Family]
"""Service, protocol and family."""

_ADDED = (DifferenceKind.SERVICE_ADDED, DifferenceKind.ENDPOINT_ADDED, DifferenceKind.FRONTEND_ADDED)
_REMOVED = (DifferenceKind.SERVICE_REMOVED, DifferenceKind.ENDPOINT_REMOVED, DifferenceKind.FRONTEND_REMOVED)
_INDENT = " " * 4
_THE_NODE = "the node's other rules"


def comparison_text(comparison: Comparison, width: int, color: bool = False) -> Iterator[str]:
    """What changed from one dump to the other, service by service; one line if nothing did."""
    paint = painter(color)
    before, after = comparison.before, comparison.after
    if comparison.equal:
        size = f"{counted(after.service_count, 'service port')} and {counted(after.endpoint_count, 'endpoint')}"
        same = f"No difference: {escape(before.name)} and {escape(after.name)} treat {size} alike."
        if comparison.failed:
            unknown = both(list(dict.fromkeys(f"the {each.unknown} of {each.source}" for each in comparison.failed)))
            same = f"{same[:-1]}, but {escape(unknown)} are unknown."
        yield from wrapped_text("", same, width)
        return
    yield from heading(f"{escape(before.name)} → {escape(after.name)}", width, paint)
    subjects = _by_subject(comparison.differences)
    signs = dict.fromkeys(DifferenceKind, "~") | dict.fromkeys(_ADDED, "+") | dict.fromkeys(_REMOVED, "-")
    marks = {kind: f"  {paint(sign, STYLES[sign])} " for kind, sign in signs.items()}
    kinds, messages = columns(comparison.differences, ("kind", "message"))
    for (service, protocol, family), rows in sorted(subjects.items(), key=lambda item: item[0][0] is None):
        subject = _THE_NODE if service is None else f"{escape(service)} · {escape(protocol or '')}"
        lines = ["\n", *heading(f"{subject} · {family_name(family.value)}", width, paint)]
        if service is not None:
            lines += _entries([marks[kinds[row]] for row in rows], [messages[row] for row in rows], width)
        else:
            for difference in map(comparison.differences.__getitem__, rows):
                lines += _entries([marks[difference.kind]], [difference.message], width)
                lines += changed_rules(difference, width, paint)
        yield "".join(lines)
    yield from ("\n", *wrapped_text("", ", ".join(tally(comparison.differences, f"in {_THE_NODE}")), width))


def _by_subject(differences: Sequence[Difference]) -> dict[_Subject, list[int]]:
    """The rows of differences by their subjects, in the order found."""
    found: dict[_Subject, list[int]] = {}
    for row, subject in enumerate(zip(*columns(differences, SUBJECT))):
        found.setdefault(subject, []).append(row)
    return found


def _entries(marks: Sequence[str], messages: Sequence[str], width: int) -> Iterator[str]:
    """Messages after their marks. Of an endpoint after the other, nearly all are plain and fit in a line."""
    together = "".join(messages)
    plain = together.isascii() and together.isprintable()
    if plain and max(map(len, messages)) <= width - len(_INDENT):
        yield from [f"{mark}{message}".rstrip() + "\n" for mark, message in zip(marks, messages)]
        return
    for mark, message in zip(marks, messages):
        first, *rest = wrapped_text(_INDENT, escape(message), width)
        yield mark + first[len(_INDENT) :]
        yield from rest


def same_bytes(before: str, after: str, width: int) -> list[str]:
    """The message for two identical files."""
    return wrapped_text("", f"No difference: {escape(before)} and {escape(after)} are identical.", width)
