"""Output of `compare -o json` for two dumps and for many nodes."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.compare.differences import Difference, Value
from ipt_explain.compare.fleet.comparison import FleetComparison
from ipt_explain.render.json_text import json_text

SCHEMA = "ipt-explain/compare/2"

_MOST_NAMES = 200_000
"""If all sets of nodes together have more names, the larger side of a difference is shortened."""


def compare_json(differences: Sequence[Difference], notes: Sequence[str], equal: bool) -> str:
    """The differences of two dumps as one JSON document. `notes` say what could not be compared, `equal` whether all
    was."""
    document = {
        "schema": SCHEMA,
        "equal": equal,
        "differences": [difference.to_json() for difference in differences],
        "notes": list(notes),
    }
    return json_text(document, indent=2) + "\n"


def fleet_json(comparison: FleetComparison) -> str:
    """The differences of many nodes as one JSON document. It names each set of nodes once."""
    sets = _NodeSets(comparison)
    differences = [difference.to_json(sets.sides(difference)) for difference in comparison.differences]
    releases: dict[str, list[str]] = {}
    for node, release in comparison.release_of.items():
        releases.setdefault(release, []).append(node)
    document = {
        "schema": SCHEMA,
        "equal": comparison.equal,
        "nodes": comparison.nodes,
        "services": {"agreed": comparison.services, "of": comparison.of},
        "node_sets": sets.to_json(),
        "not_compared": [
            {"node": each.node, "family": each.family, "why": each.reason} for each in comparison.not_compared
        ],
        "releases": dict(sorted(releases.items())),
        "differences": differences,
        "notes": list(comparison.notes),
    }
    return json_text(document, indent=2) + "\n"


class _NodeSets:
    """Sets of nodes by number. If they would hold too many names, the majority's side lists only the nodes that are on
    it in every difference: `before` is true of all of them, and perhaps of others."""

    def __init__(self, comparison: FleetComparison) -> None:
        self._ids: dict[tuple[str, ...], int] = {}
        pairs = {difference.nodes for difference in comparison.differences if difference.nodes is not None}
        self._common: tuple[str, ...] | None = None
        if sum(len(each) for each in {side for pair in pairs for side in pair}) > _MOST_NAMES:
            odd = {node for pair in pairs for node in pair[1]}
            self._common = tuple(node for node in max((pair[0] for pair in pairs), key=len) if node not in odd) or None

    def sides(self, difference: Difference) -> Value:
        """The ids of the sets on both sides of a difference."""
        if difference.nodes is None:
            return None
        before, after = difference.nodes
        if self._common is not None and len(before) >= len(self._common):
            before = self._common
        return {"before": self._id(before), "after": self._id(after)}

    def to_json(self) -> dict[str, list[str]]:
        """All sets that were named, by id."""
        return {str(number): list(names) for names, number in self._ids.items()}

    def _id(self, names: tuple[str, ...]) -> int:
        return self._ids.setdefault(names, len(self._ids) + 1)
