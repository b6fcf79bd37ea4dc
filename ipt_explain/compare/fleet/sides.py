"""The sides of nodes about one key: each record with the groups that have it, most nodes first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ipt_explain.compare.fleet.folding import NodeGroup, natural
from ipt_explain.records import Record


class Side(Record):
    """One record of a key, None if missing, and the groups that have it."""

    record: str | None
    groups: tuple[NodeGroup, ...]

    @property
    def count(self) -> int:
        """The number of nodes that have it."""
        return sum(len(group.nodes) for group in self.groups)


def sides_of(groups: Iterable[NodeGroup], record: Callable[[NodeGroup], str | None]) -> list[Side]:
    """The sides of groups."""
    found: dict[str | None, list[NodeGroup]] = {}
    for group in groups:
        found.setdefault(record(group), []).append(group)
    sides = [Side(each, tuple(members)) for each, members in found.items()]
    return sorted(sides, key=_weight)


def merged(sides: Sequence[Side], key: Callable[[Side], str | None]) -> list[Side]:
    """Merge sides with equal keys, keeping the record of the largest."""
    found: dict[str | None, list[Side]] = {}
    for side in sides:
        found.setdefault(key(side), []).append(side)
    whole = [Side(each[0].record, tuple(group for side in each for group in side.groups)) for each in found.values()]
    return sorted(whole, key=_weight)


def _weight(side: Side) -> tuple[int, list[tuple[int, int, str]]]:
    # Of two halves, the one with the first node is compared with always, so that causes and consequences name one side.
    return -side.count, min(natural(group.nodes[0]) for group in side.groups)
