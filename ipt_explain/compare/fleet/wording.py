"""Sentences about differences between nodes."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.compare.differences import Difference, DifferenceKind
from ipt_explain.words import both, counted, some


def count_of(names: Sequence[str]) -> str:
    """`47 nodes`, or the names if there are one or two."""
    if len(names) == 1:
        return names[0]
    return both(list(names)) if len(names) == 2 else counted(len(names), "node")


def has(count: int) -> str:
    """The verb for this number of nodes."""
    return "has" if count == 1 else "have"


def difference_sentence(difference: Difference, seen: int, most: Sequence[str], names: Sequence[str]) -> str:
    """A difference between the majority, which has `seen` endpoints, and others. If it is about an endpoint, the
    sentence ends with that."""
    who, others = count_of(names), count_of(most)
    alone, one = len(names) == 1, len(most) == 1
    they_see = f"{others} {'sees' if one else 'see'} {some(seen, 'endpoint')}"
    if difference.kind is DifferenceKind.ENDPOINT_ADDED:
        return f"{they_see}, {who} still {'sees' if alone else 'see'} {difference.after}"
    if difference.kind is DifferenceKind.ENDPOINT_REMOVED:
        return f"{they_see}, {who} {'does' if alone else 'do'} not see {difference.before}"
    if difference.kind is DifferenceKind.SERVICE_REMOVED:
        return f"{others} {has(len(most))} this service port, {who} {'lacks' if alone else 'lack'} it"
    if difference.kind is DifferenceKind.SERVICE_ADDED:
        return f"{others} {'lacks' if one else 'lack'} this service port, {who} {has(len(names))} it"
    return f"{against(most, names)}: {difference.message}"


def against(most: Sequence[str], names: Sequence[str]) -> str:
    """`47 nodes against node-3`."""
    return f"{count_of(most)} against {count_of(names)}"
