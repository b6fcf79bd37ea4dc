"""Differences of two dumps for a person: a changelog of Services."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.compare.differences import Difference, DifferenceKind
from ipt_explain.compare.dumps import Comparison, NodeView
from ipt_explain.render.text.paint import Paint, painter
from ipt_explain.render.text.safe import escape
from ipt_explain.words.counts import counted
from ipt_explain.words.families import family_name

SHOWN_RULES = 10

_ADDED = frozenset({DifferenceKind.SERVICE_ADDED, DifferenceKind.ENDPOINT_ADDED, DifferenceKind.FRONTEND_ADDED})
_REMOVED = frozenset({DifferenceKind.SERVICE_REMOVED, DifferenceKind.ENDPOINT_REMOVED, DifferenceKind.FRONTEND_REMOVED})
_STYLES = {"+": "green", "-": "red", "~": "yellow"}
_THE_NODE = "the node's other rules"


def comparison_text(comparison: Comparison, width: int, color: bool = False) -> Iterator[str]:
    """What changed from one dump to the other, service by service; one calm line where nothing did."""
    paint = painter(color)
    before, after = comparison.before, comparison.after
    if comparison.equal:
        yield f"No difference: {_size(after)} fare the same in {escape(before.name)} and {escape(after.name)}.\n"
        return
    yield paint(f"{escape(before.name)} → {escape(after.name)}", "bold") + "\n"
    for title, group in _groups(comparison.differences):
        yield f"\n{paint(title, 'bold')}\n"
        for difference in group:
            yield from _entry(difference, width, paint)
    yield f"\n{_sum(comparison.differences)}\n"


def _groups(differences: Iterable[Difference]) -> Iterator[tuple[str, list[Difference]]]:
    """Differences by service port, in the order found; those of the node's other rules last."""
    groups: dict[str, list[Difference]] = {}
    node: dict[str, list[Difference]] = {}
    for difference in differences:
        family = family_name(difference.family.value)
        if difference.service is None:
            node.setdefault(f"{_THE_NODE} · {family}", []).append(difference)
        else:
            title = f"{escape(difference.service)} · {escape(difference.protocol or '')} · {family}"
            groups.setdefault(title, []).append(difference)
    yield from groups.items()
    yield from node.items()


def _entry(difference: Difference, width: int, paint: Paint) -> Iterator[str]:
    sign = "+" if difference.kind in _ADDED else "-" if difference.kind in _REMOVED else "~"
    mark = paint(sign, _STYLES[sign])
    first, *rest = wrapped("    ", escape(difference.message), width)
    yield f"  {mark} {first[4:]}"
    yield from rest
    if difference.kind is DifferenceKind.FOREIGN_RULES:
        yield from _rules("-", difference.before, paint)
        yield from _rules("+", difference.after, paint)


def _rules(sign: str, side: object, paint: Paint) -> Iterator[str]:
    rules = side.get("rules", []) if isinstance(side, dict) else []
    for rule in rules[:SHOWN_RULES]:
        yield f"      {paint(sign, _STYLES[sign])} {escape(str(rule))}\n"
    if len(rules) > SHOWN_RULES:
        yield f"      {paint(sign, _STYLES[sign])} {len(rules) - SHOWN_RULES:,} more (-o json has all)\n"


def wrapped(indent: str, text: str, width: int) -> list[str]:
    """A text in lines of a width, the first indented, those below it a little more."""
    lines = textwrap.wrap(
        text, max(width, 20), initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip
    return [f"{line}\n" for line in lines]


def _sum(differences: Sequence[Difference]) -> str:
    services = {(each.service, each.protocol, each.family) for each in differences if each.service is not None}
    others = sum(each.service is None for each in differences)
    parts = [
        f"{counted(len(differences) - others, 'difference')} in {counted(len(services), 'service port')}"
    ] * bool(services)
    parts += [f"{counted(others, 'difference')} in {_THE_NODE}"] * bool(others)
    return ", ".join(parts)


def _size(view: NodeView) -> str:
    return f"{counted(len(view.services), 'service port')} and {counted(view.endpoint_count, 'endpoint')}"
