"""Layout of a small graph: boxes in columns from left to right, each to the right of all that lead to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def columns(boxes: Sequence[str], arrows: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The boxes by column, top to bottom. Arrows that close a cycle are ignored. Linear time, except for sorting."""
    after: dict[str, list[str]] = {box: [] for box in boxes}
    before: dict[str, list[str]] = {box: [] for box in boxes}
    for source, target in dict.fromkeys(arrows):
        if source in after and target in after and source != target:
            after[source].append(target)
            before[target].append(source)
    column = _depths(boxes, after, before)
    found: list[list[str]] = [[] for _ in range(1 + max(column.values(), default=-1))]
    for box in boxes:
        found[column[box]].append(box)
    height: dict[str, float] = {}
    for each in found:
        each.sort(key=lambda box: _middle(before[box], height))
        height.update((box, row / len(each)) for row, box in enumerate(each))
    return found


def _depths(
    boxes: Sequence[str], after: Mapping[str, Sequence[str]], before: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """The length of the longest path to each box. A cycle begins at its first box in order."""
    waiting = {box: len(before[box]) for box in boxes}
    depth = dict.fromkeys(boxes, 0)
    ready = [box for box in boxes if not waiting[box]]
    rest = iter(boxes)
    placed: set[str] = set()
    while len(placed) < len(boxes):
        if not ready:
            ready.append(next(box for box in rest if box not in placed))
        box = ready.pop()
        if box in placed:
            continue
        placed.add(box)
        for target in after[box]:
            if target not in placed:
                depth[target] = max(depth[target], depth[box] + 1)
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
    return depth


def _middle(sources: Sequence[str], height: Mapping[str, float]) -> float:
    known = [height[box] for box in sources if box in height]
    return sum(known) / len(known) if known else 0.5
