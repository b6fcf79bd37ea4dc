"""Nodes whose rules were taken before or after all others': the cluster may have changed in between.

Collecting from thousands of nodes takes longer than a sync of kube-proxy (every 30 s, and after each change). A Service
or endpoint that appears or disappears meanwhile divides the nodes by time, and none of them is at fault.
"""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.compare.differences import DifferenceKind
from ipt_explain.compare.fleet.records.times import seconds_between
from ipt_explain.words.durations import duration

_COME_AND_GO = frozenset(
    {
        DifferenceKind.SERVICE_ADDED, DifferenceKind.SERVICE_REMOVED, DifferenceKind.ENDPOINT_ADDED,
        DifferenceKind.ENDPOINT_REMOVED, DifferenceKind.FRONTEND_ADDED, DifferenceKind.FRONTEND_REMOVED,
        DifferenceKind.VERDICT, DifferenceKind.PROBABILITY,
    }
)  # fmt: skip

Names = tuple[str, ...]


class Lateness:
    """Recognises changes in progress by the times at which nodes' rules were taken."""

    def __init__(self, taken: Mapping[str, str]) -> None:
        self._taken = taken
        self._known: dict[int, tuple[Names, tuple[str, str] | None]] = {}

    def note(self, kind: DifferenceKind, most: Names, names: Names) -> str | None:
        """Half a sentence if a difference may be a change in progress, else None."""
        if kind not in _COME_AND_GO:
            return None
        usual, others = self._span(most), self._span(names)
        if usual is None or others is None:
            return None
        for (_, earlier), (later, _), word in ((others, usual, "earlier"), (usual, others, "later")):
            seconds = seconds_between(earlier, later) if earlier < later else None
            if seconds is not None and seconds > 0:
                return f"taken {duration(seconds)} {word}: the cluster may have changed in between"
        return None

    def _span(self, names: Names) -> tuple[str, str] | None:
        """The first and the last time of nodes; None if any time is unknown."""
        known = self._known.get(id(names))
        if known is None:
            times = [self._taken.get(name) for name in names]
            whole = [time for time in times if time is not None]
            span = (min(whole), max(whole)) if whole and len(whole) == len(times) else None
            # Keep the names, so that no other tuple gets their id.
            known = self._known[id(names)] = (names, span)
        return known[1]
