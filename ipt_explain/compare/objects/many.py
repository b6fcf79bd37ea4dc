"""Many nodes against the API objects: one mismatch per cause, with the nodes that have it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ipt_explain.compare.differences import Difference, DifferenceKind
from ipt_explain.compare.fleet.comparison import FleetComparison
from ipt_explain.compare.fleet.folding import natural
from ipt_explain.compare.objects.mismatches import Mismatch, MismatchKind
from ipt_explain.records import replace

_LOOK = "Look at these nodes with `ipt-explain audit`, and at kube-proxy's log there."
# Differences that objects do not decide: lost connections, masquerading, how even shares are.
_BESIDE_OBJECTS = frozenset({DifferenceKind.FATE, DifferenceKind.MASQUERADE, DifferenceKind.PROBABILITY})

_Cause = tuple[MismatchKind, str, str | None, str | None, str]

Reported = Mapping[tuple[str | None, str | None], set[str]]
"""The nodes with known mismatches by service port and protocol."""


def disagreements(comparison: FleetComparison, reported: Reported) -> Iterator[Mismatch]:
    """Differences between nodes that the objects do not decide, as mismatches of the minority."""
    seen: set[tuple[str | None, str | None, str | None, DifferenceKind | None, tuple[str, ...]]] = set()
    for difference in comparison.differences:
        if difference.nodes is None or _is_reported(difference, reported):
            continue
        nodes = difference.nodes[1]
        subject = difference.subject if difference.service is None else None
        kind = difference.kind if difference.kind in _BESIDE_OBJECTS else None
        key = (difference.service, difference.protocol, subject, kind, nodes)
        if key not in seen:
            seen.add(key)
            yield Mismatch(
                MismatchKind.NODES_DISAGREE, difference.family, nodes[0], difference.service, difference.protocol,
                difference.message, _LOOK, nodes=nodes,
            )  # fmt: skip


def _is_reported(difference: Difference, reported: Reported) -> bool:
    """Whether mismatches of all nodes on either side already say this."""
    if difference.service is None or difference.kind in _BESIDE_OBJECTS or difference.nodes is None:
        return False
    known = reported.get((difference.service, difference.protocol), set())
    return any(known.issuperset(side) for side in difference.nodes)


class NodesMismatches:
    """The mismatches of the nodes seen so far. Memory grows with causes and node names, not with rules."""

    def __init__(self) -> None:
        self._first: dict[_Cause, Mismatch] = {}
        self._nodes: dict[_Cause, list[str]] = {}
        self._reported: dict[tuple[str | None, str | None], set[str]] = {}

    def add(self, node: str, mismatches: Iterable[Mismatch]) -> None:
        """Add a node's mismatches."""
        for each in mismatches:
            cause = (each.kind, each.family.value, each.service, each.protocol, each.message)
            self._first.setdefault(cause, each)
            self._nodes.setdefault(cause, []).append(node)
            self._reported.setdefault((each.service, each.protocol), set()).add(node)

    def all(self, comparison: FleetComparison) -> list[Mismatch]:
        """All of them, and differences between nodes that the objects do not decide."""
        found = [
            replace(first, nodes=tuple(sorted(dict.fromkeys(self._nodes[cause]), key=natural)))
            for cause, first in self._first.items()
        ]
        return [*found, *disagreements(comparison, self._reported)]
