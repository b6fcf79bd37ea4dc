"""Which differences are certain if a side is only part of a dump."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.names import ChainRole, roles_of
from ipt_explain.compare.differences import Difference, DifferenceKind
from ipt_explain.compare.services.pair import Pair
from ipt_explain.compare.services.views import Pool, ServiceView
from ipt_explain.records import Record
from ipt_explain.services.ports import Scope

_TRAFFIC_POLICIES = ("internal traffic policy", "external traffic policy")


class Completeness(Record):
    """Whether each dump is complete: what it lacks does not exist."""

    before: bool = True
    after: bool = True

    @property
    def all(self) -> bool:
        """Whether both are complete."""
        return self.before and self.after


ALL_SHOWN = Completeness()


def borne_out(
    differences: Sequence[Difference], pair: Pair, shown: Completeness, told: Completeness
) -> Sequence[Difference]:
    """The differences that both sides prove, nearly all of them if both are whole dumps. `told`: whether addresses
    of all endpoints are shown."""
    if shown.all and told.all:
        return differences
    return [each for each in differences if _holds(each, pair, shown, told)]


def endpoints_told(pair: Pair) -> Completeness:
    """Whether each dump shows the addresses of all endpoints of a service port."""
    return Completeness(*(ChainRole.ENDPOINT not in roles_of(each) for each in (pair.earlier, pair.later)))


def _holds(difference: Difference, pair: Pair, shown: Completeness, told: Completeness) -> bool:
    kind, before, after = difference.kind, pair.before, pair.after
    match kind:
        case DifferenceKind.ENDPOINT_REMOVED if difference.subject is None:
            return _lacks(difference.before, before, after, shown.after, told.after)
        case DifferenceKind.ENDPOINT_ADDED if difference.subject is None:
            return _lacks(difference.after, after, before, shown.before, told.before)
        case _ if shown.all:
            return True
        case DifferenceKind.FRONTEND_REMOVED:
            return shown.after
        case DifferenceKind.FRONTEND_ADDED:
            return shown.before
        case DifferenceKind.AFFINITY:
            return () not in (_seconds(before), _seconds(after)) and _seconds(before) != _seconds(after)
        case DifferenceKind.MASQUERADE:
            return difference.subject == "hairpin" or (
                difference.subject == "ClusterIP"
                and None not in (before.masquerade.off_cluster, after.masquerade.off_cluster)
                and before.masquerade.off_cluster != after.masquerade.off_cluster
            )
        case DifferenceKind.POLICY:
            return difference.subject in _TRAFFIC_POLICIES
        case DifferenceKind.FATE:
            return shown.after if difference.after is None else shown.before and difference.before is None
    return kind in (DifferenceKind.VERDICT, DifferenceKind.PROBABILITY)


def _seconds(view: ServiceView) -> tuple[int, ...]:
    return () if view.affinity is None else view.affinity.seconds


def _lacks(endpoint: object, has: ServiceView, other: ServiceView, shown: bool, told: bool) -> bool:
    """Whether a side is known to lack an endpoint of the other: it is a whole dump with the addresses of
    all endpoints (`told`), or shows a whole pool."""
    if not _is_address(str(endpoint)):
        return False  # it may be any endpoint
    if shown:
        return told
    for scope in Scope:
        pool, counterpart = has.pool(scope), other.pool(scope)
        if pool is not None and counterpart is not None and endpoint in pool.endpoints and _is_whole(counterpart):
            return endpoint not in counterpart.endpoints
    return False


def _is_whole(pool: Pool) -> bool:
    return pool.unmatched is not None and None not in pool.chances and all(map(_is_address, pool.names))


def _is_address(endpoint: str) -> bool:
    """Whether an endpoint is not the name of a chain that is not shown."""
    return not endpoint.startswith(ChainRole.ENDPOINT.value)
