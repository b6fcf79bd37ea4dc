"""The endpoints of a service port in two dumps, and their chances."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.compare.differences import Difference, DifferenceKind, Value
from ipt_explain.compare.services.pair import Pair
from ipt_explain.compare.services.views import Pool
from ipt_explain.services.ports import Scope
from ipt_explain.words import listed
from ipt_explain.words.percents import percents

TOLERANCE = 2e-5
"""How far equal chances may differ: kube-proxy up to 1.16 wrote them with five digits."""


def endpoint_differences(pair: Pair) -> Iterator[Difference]:
    """Endpoints added and removed, and how connections are spread over the others."""
    yield from _came_and_went(pair, None, pair.earlier, pair.later)
    common = pair.common
    for scope in Scope:
        earlier, later = pair.before.pool(scope), pair.after.pool(scope)
        if earlier is not None and later is not None and earlier != later:
            yield from _pool(pair, scope, common, earlier, later)


def _came_and_went(
    pair: Pair, subject: str | None, before: frozenset[str], after: frozenset[str]
) -> Iterator[Difference]:
    for endpoint in sorted(before - after):
        where = f" from {subject}" if subject else ""
        message = f"endpoint {endpoint} removed{where}"
        yield pair.difference(DifferenceKind.ENDPOINT_REMOVED, subject, endpoint, None, message)
    for endpoint in sorted(after - before):
        where = f" to {subject}" if subject else ""
        message = f"endpoint {endpoint} added{where}"
        yield pair.difference(DifferenceKind.ENDPOINT_ADDED, subject, None, endpoint, message)


def _pool(pair: Pair, scope: Scope, common: frozenset[str], before: Pool, after: Pool) -> Iterator[Difference]:
    """Endpoints of both dumps that moved into or out of this pool; chances that changed for another reason than their
    number.
    """
    subject = "endpoints on this node" if scope is Scope.LOCAL else "all endpoints"
    yield from _came_and_went(pair, subject, before.endpoints & common, after.endpoints & common)
    if not before.shares or not after.shares or before.unmatched is None or after.unmatched is None:
        return
    if before.scheduler != after.scheduler:
        message = f"shares of {subject}: {_decided_by(before)} -> {_decided_by(after)}"
        yield pair.difference(DifferenceKind.PROBABILITY, subject, _fixed(before), _fixed(after), message)
        return
    changed = changed_shares(before, after)
    leak = abs(before.unmatched - after.unmatched) > TOLERANCE
    if not changed and not leak:
        return
    # If endpoints were added or removed, a chance may have changed relative to others yet be the same number.
    significant = [share for share in changed if abs(share[1] - share[2]) > TOLERANCE] or changed
    parts = [f"connections without an endpoint {_change(before.unmatched, after.unmatched)}"] if leak else []
    parts += [f"{endpoint} {_change(old, new)}" for endpoint, old, new in significant]
    old_chances: dict[str, Value] = {endpoint: old for endpoint, old, _ in changed}
    new_chances: dict[str, Value] = {endpoint: new for endpoint, _, new in changed}
    if leak:
        old_chances["unmatched"], new_chances["unmatched"] = before.unmatched, after.unmatched
    message = f"shares of {subject}: {listed(parts, 4)}"
    yield pair.difference(DifferenceKind.PROBABILITY, subject, old_chances, new_chances, message)


def changed_shares(before: Pool, after: Pool) -> list[tuple[str, float, float]]:
    """Endpoints of both pools whose relative chances changed, with the absolute chances.

    Adding or removing an endpoint changes all chances by one factor, which does not count.
    """
    earlier = {endpoint: chance for endpoint, chance in before.shares if chance is not None}
    later = {endpoint: chance for endpoint, chance in after.shares if chance is not None}
    common = [endpoint for endpoint in earlier if endpoint in later]
    old_sum = sum(earlier[endpoint] for endpoint in common)
    new_sum = sum(later[endpoint] for endpoint in common)
    if old_sum <= 0.0 or new_sum <= 0.0:
        return []
    old_scale, new_scale = 1.0 / old_sum, 1.0 / new_sum
    found = []
    for endpoint in common:
        old, new = earlier[endpoint], later[endpoint]
        if abs(old * old_scale - new * new_scale) > TOLERANCE * 3:
            found.append((endpoint, old, new))
    return found


def _decided_by(pool: Pool) -> str:
    return "fixed" if pool.scheduler is None else f"as IPVS's scheduler {pool.scheduler} decides"


def _fixed(pool: Pool) -> dict[str, Value]:
    """The chances, null where load or the client decides."""
    return {endpoint: chance if pool.scheduler is None else None for endpoint, chance in pool.shares}


def _change(before: float, after: float) -> str:
    return " -> ".join(percents((before, after)))
