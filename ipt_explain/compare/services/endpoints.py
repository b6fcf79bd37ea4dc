"""The endpoints of a service port in two dumps, and their chances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat

from ipt_explain.columns import nothing
from ipt_explain.compare.differences import Difference, DifferenceKind, Value
from ipt_explain.compare.services.pair import Pair
from ipt_explain.compare.services.views import Pool
from ipt_explain.services.ports import Scope
from ipt_explain.words import listed
from ipt_explain.words.percents import percents

TOLERANCE = 2e-5
"""How far equal chances may differ: kube-proxy up to 1.16 wrote them with five digits."""


def endpoint_differences(pair: Pair) -> Iterator[Sequence[Difference]]:
    """Endpoints added and removed, and how connections are spread over the others."""
    yield _came_and_went(pair, None, pair.earlier, pair.later)
    for scope in Scope:
        earlier, later = pair.before.pool(scope), pair.after.pool(scope)
        if earlier is not None and later is not None and earlier != later:
            yield from _pool(pair, scope, earlier, later)


def _came_and_went(
    pair: Pair, subject: str | None, before: frozenset[str], after: frozenset[str]
) -> Sequence[Difference]:
    gone, come = sorted(before - after), sorted(after - before)
    if not gone and not come:
        return ()
    off, on = (f" from {subject}", f" to {subject}") if subject else ("", "")
    return pair.differences(
        subject,
        [*repeat(DifferenceKind.ENDPOINT_REMOVED, len(gone)), *repeat(DifferenceKind.ENDPOINT_ADDED, len(come))],
        [*gone, *nothing(len(come))],
        [*nothing(len(gone)), *come],
        [*[f"endpoint {each} removed{off}" for each in gone], *[f"endpoint {each} added{on}" for each in come]],
    )


def _pool(pair: Pair, scope: Scope, before: Pool, after: Pool) -> Iterator[Sequence[Difference]]:
    """Endpoints of both dumps that moved into or out of this pool; chances that changed for another reason than their
    number.
    """
    subject = "endpoints on this node" if scope is Scope.LOCAL else "all endpoints"
    yield _came_and_went(pair, subject, pair.common & before.endpoints, pair.common & after.endpoints)
    if not before.names or not after.names or before.unmatched is None or after.unmatched is None:
        return
    if before.scheduler != after.scheduler:
        message = f"shares of {subject}: {_decided_by(before)} -> {_decided_by(after)}"
        yield [pair.difference(DifferenceKind.PROBABILITY, subject, _fixed(before), _fixed(after), message)]
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
    yield [pair.difference(DifferenceKind.PROBABILITY, subject, old_chances, new_chances, message)]


def changed_shares(before: Pool, after: Pool) -> list[tuple[str, float, float]]:
    """Endpoints of both pools whose relative chances changed, with the absolute chances.

    Adding or removing an endpoint changes all chances by one factor, which does not count.
    """
    later = dict(zip(after.names, after.chances))
    common = [
        (endpoint, old, new)
        for endpoint, old in zip(before.names, before.chances)
        if old is not None and (new := later.get(endpoint)) is not None
    ]
    old_sum, new_sum = sum([old for _, old, _ in common]), sum([new for _, _, new in common])
    if old_sum <= 0.0 or new_sum <= 0.0:
        return []
    old_scale, new_scale = 1.0 / old_sum, 1.0 / new_sum
    return [each for each in common if abs(each[1] * old_scale - each[2] * new_scale) > TOLERANCE * 3]


def _decided_by(pool: Pool) -> str:
    return "fixed" if pool.scheduler is None else f"as IPVS's scheduler {pool.scheduler} decides"


def _fixed(pool: Pool) -> dict[str, Value]:
    """The chances, null where load or the client decides."""
    return dict(zip(pool.names, pool.chances if pool.scheduler is None else nothing(len(pool.names))))


def _change(before: float, after: float) -> str:
    return " -> ".join(percents((before, after)))
