"""Endpoints that differ between nodes by design: topology hints and trafficDistribution keep traffic in a zone.

Then each zone's nodes see their own set of endpoints, and a zone without endpoints sees all. If digests do not name
their zones, sets that many nodes share and that have no endpoint in common count as zones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ipt_explain.compare.fleet.sides import Side

_FEWEST_NODES = 3
_FEWEST_PART = 0.05
_COVERED_PART = 0.9

Endpoints = Callable[[Side], frozenset[str]]


def zone_sides(sides: Sequence[Side], endpoints: Endpoints) -> list[Side]:
    """The sides that differ only as zones do, largest first; none if the sides do not look like zones."""
    known = _by_known_zones(sides)
    if known is not None:
        return known if _as_zones([endpoints(side) for side in known]) else []
    total = sum(side.count for side in sides)
    large = [side for side in sides if side.count >= max(_FEWEST_NODES, total * _FEWEST_PART) and endpoints(side)]
    covered = sum(side.count for side in large)
    if len(large) < 2 or covered < total * _COVERED_PART or not _as_zones([endpoints(side) for side in large]):
        return []
    return large


def nearest_zone(side: Side, among: Sequence[Side], endpoints: Endpoints) -> Side:
    """The zone that a side belongs to: that of its nodes if known, else the one with most common endpoints."""
    zone = side.groups[0].zone
    if zone is not None:
        for each in among:
            if any(group.zone == zone for group in each.groups):
                return each
    own = endpoints(side)
    return max(among, key=lambda each: (len(own & endpoints(each)), each.count))


def _by_known_zones(sides: Sequence[Side]) -> list[Side] | None:
    """The majority's side in each zone; None if a node's zone is unknown, or if all are in one."""
    zones = {group.zone for side in sides for group in side.groups}
    if None in zones or len(zones) < 2:
        return None
    found: list[Side] = []
    for zone in sorted(filter(None, zones)):
        counts = [(sum(len(group.nodes) for group in side.groups if group.zone == zone), side) for side in sides]
        most = max(counts, key=lambda item: item[0])[1]
        if most not in found:
            found.append(most)
    return sorted(found, key=lambda side: -side.count) if len(found) > 1 else None


def _as_zones(sets: Sequence[frozenset[str]]) -> bool:
    """Whether sets are disjoint, except for sets that are the union of all."""
    everything = frozenset[str]().union(*sets)
    parts = [each for each in sets if each != everything]
    return len(parts) > 1 and sum(map(len, parts)) == len(frozenset[str]().union(*parts)) and all(parts)
