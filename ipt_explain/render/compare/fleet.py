"""Differences of many nodes for people: by set of nodes, largest first, causes before their consequences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.compare.differences import Difference, DifferenceKind
from ipt_explain.compare.fleet.comparison import FleetComparison
from ipt_explain.compare.fleet.nodes import NotCompared
from ipt_explain.render.compare.subjects import by_subject, changed_rules, heading, tally, wrapped_text
from ipt_explain.render.text.paint import painter
from ipt_explain.render.text.safe import escape
from ipt_explain.words import and_more, counted, listed

SHOWN_NAMES = 5
SHOWN_SERVICES = 12
SHOWN_REASONS = 20
_ALL = 1 << 60


def fleet_text(comparison: FleetComparison, names: bool, width: int, color: bool = False) -> Iterator[str]:
    """A line on what nodes agree about, then each set of nodes that differs, then nodes that were not compared.

    `names` prints every name of a set, not just the first few.
    """
    paint = painter(color)
    yield from wrapped_text("", _agreement(comparison), width)
    for members, differences in _by_nodes(comparison.differences):
        releases = sorted({comparison.release_of[node] for node in members if node in comparison.release_of})
        suffix = f" · kube-proxy {' or '.join(releases)}" if releases else ""
        yield from ("\n", *heading(_title(members, names) + suffix, width, paint))
        for subject, group in _subjects(differences):
            yield from wrapped_text("  ", subject, width)
            for message, difference in _messages(group):
                yield from wrapped_text("    ", escape(message), width)
                yield from changed_rules(difference, width, paint)
    if comparison.not_compared:
        count = counted(len({each.node for each in comparison.not_compared}), "node")
        yield f"\n{paint(f'Not compared: {count}', 'bold')}\n"
        yield from _reasons(comparison.not_compared, names, width)
    for note in comparison.notes:
        yield "\n"
        yield from wrapped_text("", escape(f"note: {note}"), width)
    if comparison.differences:
        yield from ("\n", *wrapped_text("", _sum(comparison.differences), width))


def _agreement(comparison: FleetComparison) -> str:
    if not comparison.nodes:
        return "No node could be compared as a whole."
    if comparison.nodes == 1 and not comparison.differences:
        return f"There is only 1 node, with {counted(comparison.of, 'service port')}: nothing to compare it with."
    nodes = counted(comparison.nodes, "node")
    ports = counted(comparison.of, "service port")
    if not comparison.differences:
        return f"{nodes} agree on all {ports}, on hooks and policies."
    odd = len(_odd(comparison.differences).difference(each.node for each in comparison.not_compared))
    who = f"{odd:,} of {nodes} {'differs' if odd == 1 else 'differ'}. " if odd and comparison.nodes > 2 else ""
    what = f"All {ports}" if comparison.services == comparison.of else f"{comparison.services:,} of {ports}"
    return f"{who}{what} {'is' if comparison.of == 1 else 'are'} the same on all nodes."


def _odd(differences: Iterable[Difference]) -> set[str]:
    """The nodes that differ from the majority."""
    return {node for each in differences if each.nodes is not None for node in each.nodes[1]}


def _by_nodes(differences: Iterable[Difference]) -> list[tuple[tuple[str, ...], list[Difference]]]:
    """Differences by the set of nodes that differ from the majority, largest set first."""
    found: dict[tuple[str, ...], list[Difference]] = {}
    for difference in differences:
        found.setdefault(difference.nodes[1] if difference.nodes is not None else (), []).append(difference)
    return sorted(found.items(), key=lambda item: -len(item[0]))


def _title(members: Sequence[str], names: bool) -> str:
    if len(members) == 1:
        return escape(members[0])
    shown = listed(map(escape, members), _ALL if names else SHOWN_NAMES)
    return f"{counted(len(members), 'node')}: {shown}"


def _subjects(differences: Iterable[Difference]) -> Iterator[tuple[str, list[Difference]]]:
    """How a set of nodes differs: first the node as a whole, then service ports, only the first of many."""
    subjects = by_subject(differences, lambda difference: escape(difference.subject or ""))
    yield from (*subjects.node.items(), *list(subjects.services.items())[:SHOWN_SERVICES])
    if len(subjects.services) > SHOWN_SERVICES:
        more = and_more(len(subjects.services) - SHOWN_SERVICES, "service port").strip()
        yield f"{more} (-o json has all)", []


def _messages(group: Iterable[Difference]) -> Iterator[tuple[str, Difference]]:
    """The messages, each with its difference; those about endpoints that the same nodes have or lack are joined."""
    merged: dict[tuple[DifferenceKind, object], list[Difference]] = {}
    for difference in group:
        endpoint = difference.kind in (DifferenceKind.ENDPOINT_ADDED, DifferenceKind.ENDPOINT_REMOVED)
        merged.setdefault((difference.kind, difference.nodes if endpoint else id(difference)), []).append(difference)
    for (kind, _), members in merged.items():
        first = members[0]
        others = [str(each.after if kind is DifferenceKind.ENDPOINT_ADDED else each.before) for each in members[1:]]
        message = ", ".join([first.message, *others])
        yield message if first.note is None else f"{message} ({first.note})", first


def _reasons(left_out: Sequence[NotCompared], names: bool, width: int) -> Iterator[str]:
    """Why nodes were not compared, one line per reason."""
    by_reason: dict[str, list[NotCompared]] = {}
    for each in left_out:
        by_reason.setdefault(each.why, []).append(each)
    for why, members in list(by_reason.items())[: _ALL if names else SHOWN_REASONS]:
        shown = listed((escape(each.node) for each in members), _ALL if names else SHOWN_NAMES)
        yield from wrapped_text("  ", f"{shown}: {escape(members[0].reason if len(members) == 1 else why)}", width)
    if not names and len(by_reason) > SHOWN_REASONS:
        yield f"  {and_more(len(by_reason) - SHOWN_REASONS, 'reason').strip()} (--names shows all)\n"


def _sum(differences: Sequence[Difference]) -> str:
    nodes = counted(len(_odd(differences)), "node")
    return f"{', '.join(tally(differences, 'outside Services'))}, on {nodes}"
