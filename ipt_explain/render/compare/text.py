"""Differences of two dumps for people: a changelog of Services."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.compare.differences import Difference, DifferenceKind
from ipt_explain.compare.dumps import Comparison
from ipt_explain.render.compare.subjects import STYLES, by_subject, changed_rules, heading, tally, wrapped_text
from ipt_explain.render.text.paint import Paint, painter
from ipt_explain.render.text.safe import escape
from ipt_explain.words import both, counted

_ADDED = frozenset({DifferenceKind.SERVICE_ADDED, DifferenceKind.ENDPOINT_ADDED, DifferenceKind.FRONTEND_ADDED})
_REMOVED = frozenset({DifferenceKind.SERVICE_REMOVED, DifferenceKind.ENDPOINT_REMOVED, DifferenceKind.FRONTEND_REMOVED})
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
    subjects = by_subject(comparison.differences, lambda _: _THE_NODE)
    for title, group in (*subjects.services.items(), *subjects.node.items()):
        yield from ("\n", *heading(title, width, paint))
        for difference in group:
            yield from _entry(difference, width, paint)
    yield from ("\n", *wrapped_text("", ", ".join(tally(comparison.differences, f"in {_THE_NODE}")), width))


def same_bytes(before: str, after: str, width: int) -> list[str]:
    """The message for two identical files."""
    return wrapped_text("", f"No difference: {escape(before)} and {escape(after)} are identical.", width)


def _entry(difference: Difference, width: int, paint: Paint) -> Iterator[str]:
    sign = "+" if difference.kind in _ADDED else "-" if difference.kind in _REMOVED else "~"
    mark = paint(sign, STYLES[sign])
    first, *rest = wrapped_text("    ", escape(difference.message), width)
    yield f"  {mark} {first[4:]}"
    yield from rest
    yield from changed_rules(difference, width, paint)
