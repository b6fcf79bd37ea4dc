"""Differences between nodes in one service port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ipt_explain.compare.differences import Difference
from ipt_explain.compare.fleet.folding import nodes_of
from ipt_explain.compare.fleet.records.keys import RecordKey
from ipt_explain.compare.fleet.records.service_records import service_of
from ipt_explain.compare.fleet.sides import Side
from ipt_explain.compare.fleet.wording import difference_sentence
from ipt_explain.compare.fleet.zones import nearest_zone, zone_sides
from ipt_explain.compare.services.differing import added, removed, service_differences
from ipt_explain.compare.services.fabric import Fabric
from ipt_explain.compare.services.unseen import Completeness
from ipt_explain.compare.services.views import ServiceView
from ipt_explain.records import replace
from ipt_explain.services.ports import TrafficPolicy
from ipt_explain.words import counted

Dispute = tuple[Difference, Side, Side]
"""A difference, the majority's side, and the other."""


class ServiceDisputes:
    """Compares the records of service ports, and counts how many differ by zone."""

    def __init__(self, fabrics: Mapping[str, Fabric]) -> None:
        self._fabrics = fabrics
        self._zoned = 0
        self._zones = 0

    def disputes(self, key: RecordKey, sides: Sequence[Side]) -> Iterator[Dispute]:
        """The differences between a service port's sides."""
        if len(sides) < 2:
            return
        views = {
            side.record: None if side.record is None else service_of(key, side.record, self._fabrics) for side in sides
        }
        if _may_be_internal_local(list(views.values())):
            return

        def endpoints(side: Side) -> frozenset[str]:
            view = views[side.record]
            return frozenset() if view is None else view.endpoints()

        by_zone = zone_sides(sides, endpoints)
        if by_zone:
            self._zoned += 1
            self._zones = max(self._zones, len(by_zone))
        for side in sides[0 if by_zone else 1 :]:
            if side not in by_zone:
                most = nearest_zone(side, by_zone, endpoints) if by_zone else sides[0]
                found = list(_differences(views[most.record], views[side.record], most, side))
                if not found:
                    # Rules other than balancing can be compared only within a release.
                    most = _of_same_release(side, sides, views)
                    found = list(_differences(views[most.record], views[side.record], most, side))
                yield from ((difference, most, side) for difference in found)
        if by_zone:
            yield from self._besides_endpoints(views, by_zone)

    @staticmethod
    def _besides_endpoints(views: Mapping[str | None, ServiceView | None], zones: Sequence[Side]) -> Iterator[Dispute]:
        """Differences between zones besides endpoints, which hints do not explain."""
        most, *others = zones
        first = views[most.record]
        for other in others:
            view = views[other.record]
            if first is not None and view is not None:
                alike = replace(view, pools=first.pools)
                for difference in _differences(first, alike, most, other):
                    yield difference, most, other

    def notes(self) -> Iterator[str]:
        """A sentence on differences by design."""
        if self._zoned:
            yield (
                f"{counted(self._zoned, 'service port')} have different endpoints in each of {self._zones} sets of "
                "nodes, as topology hints keep traffic in zones: not reported"
            )


def _of_same_release(side: Side, sides: Sequence[Side], views: Mapping[str | None, ServiceView | None]) -> Side:
    """The largest side whose rules are from the same kind of kube-proxy."""

    def kind(each: Side) -> str | None:
        view = views[each.record]
        return view.fabric[0] if view is not None and view.fabric else None

    return next(each for each in sides if kind(each) == kind(side))


def _differences(
    most: ServiceView | None, view: ServiceView | None, most_side: Side, side: Side
) -> Iterator[Difference]:
    found: Sequence[Difference] = ()
    if most is not None and view is not None:
        if {most.internal_policy, view.internal_policy} == {TrafficPolicy.LOCAL, None}:
            # kube-proxy 1.21 to 1.23 used only the node's own endpoints without marking that.
            view = replace(view, pools=most.pools)
        found = service_differences(most, view, Completeness(_is_complete(most_side, view), _is_complete(side, view)))
    elif most is not None:
        found = [removed(most)]
    elif view is not None:
        found = [added(view)]
    if found:
        names, others = nodes_of(side.groups), nodes_of(most_side.groups)
        seen = 0 if most is None else len(most.endpoints())
        for each in found:
            # Those with a cause may become one about the node, in the words for two dumps.
            named = each.cause is not None
            yield each if named else replace(each, message=difference_sentence(each, seen, others, names))


def _is_complete(side: Side, view: ServiceView) -> bool:
    """Whether what a side's nodes lack does not exist."""
    return all(group.families[view.family.value].complete for group in side.groups)


def _may_be_internal_local(views: Sequence[ServiceView | None]) -> bool:
    """kube-proxy 1.21 to 1.23 left no trace of internal policy Local: nodes then balance over sets without a common
    endpoint."""
    known = [view for view in views if view is not None]
    if len(known) != len(views) or any(view.internal_policy is not None for view in known if view.endpoints()):
        return False
    seen: set[str] = set()
    for view in known:
        endpoints = view.endpoints()
        if seen & endpoints:
            return False
        seen |= endpoints
    serving = [view for view in known if view.endpoints()]
    return len(serving) > 1 and all(view.frontends.keys() == known[0].frontends.keys() for view in known)
