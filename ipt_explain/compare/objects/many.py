"""Many nodes against the API objects: one mismatch a cause, with the nodes that have it."""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.compare.fleet.comparison import FleetComparison
from ipt_explain.compare.fleet.folding import natural
from ipt_explain.compare.objects.mismatches import Mismatch, MismatchKind
from ipt_explain.records import replace

_LOOK = "Look at these nodes with `ipt-explain audit`, and at kube-proxy's log there."

_Cause = tuple[MismatchKind, str, str | None, str | None, str]


class NodesMismatches:
    """The mismatches of the nodes met so far; memory grows with causes and the names of nodes, not with their rules."""

    def __init__(self) -> None:
        self._first: dict[_Cause, Mismatch] = {}
        self._nodes: dict[_Cause, list[str]] = {}
        self._reported: set[tuple[str | None, str | None]] = set()

    def add(self, node: str, mismatches: Iterable[Mismatch]) -> None:
        """Takes a node's mismatches in."""
        for each in mismatches:
            cause = (each.kind, each.family.value, each.service, each.protocol, each.message)
            self._first.setdefault(cause, each)
            self._nodes.setdefault(cause, []).append(node)
            self._reported.add((each.service, each.protocol))

    def all(self, comparison: FleetComparison) -> list[Mismatch]:
        """All of them, and what nodes disagree on though no object speaks against either."""
        found = [
            replace(first, nodes=tuple(sorted(dict.fromkeys(self._nodes[cause]), key=natural)))
            for cause, first in self._first.items()
        ]
        told: set[tuple[str | None, str | None, str | None, tuple[str, ...]]] = set()
        for difference in comparison.differences:
            nodes = () if difference.nodes is None else difference.nodes[1]
            subject = difference.subject if difference.service is None else None
            key = (difference.service, difference.protocol, subject, nodes)
            if difference.service is not None and (difference.service, difference.protocol) in self._reported:
                continue
            if key not in told:
                told.add(key)
                mismatch = Mismatch(
                    MismatchKind.NODES_DISAGREE, difference.family, nodes[0] if nodes else "", difference.service,
                    difference.protocol, difference.message, _LOOK, nodes=nodes,
                )  # fmt: skip
                found.append(mismatch)
        return found
