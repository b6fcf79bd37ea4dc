"""Differences of one service port between two dumps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.names import MARK_MASQ, PROXY_FIREWALL
from ipt_explain.compare.differences import Difference, DifferenceKind, Value, in_one
from ipt_explain.compare.services.clients import affinity_differences, kept_differences, masquerade_differences
from ipt_explain.compare.services.endpoints import endpoint_differences
from ipt_explain.compare.services.frontends import frontend_differences, policy_differences
from ipt_explain.compare.services.losses import Losses, loss_differences
from ipt_explain.compare.services.naming import frontend_names
from ipt_explain.compare.services.pair import Pair
from ipt_explain.compare.services.unseen import ALL_SHOWN, Completeness, borne_out, endpoints_told
from ipt_explain.compare.services.views import ServiceView
from ipt_explain.compare.services.wording import values_of
from ipt_explain.records import replace
from ipt_explain.words import front, some


def service_differences(
    before: ServiceView, after: ServiceView, shown: Completeness = ALL_SHOWN
) -> Sequence[Difference]:
    """All differences of a service port that both dumps have, except those that parts not `shown` may explain."""
    if before == after:
        return []
    pair = Pair.of(before, after)
    told = endpoints_told(pair)
    # In order of importance.
    parts = (
        [*frontend_differences(pair), *policy_differences(pair)], *endpoint_differences(pair),
        [*affinity_differences(pair), *masquerade_differences(pair)],
    )  # fmt: skip
    found = borne_out(in_one(parts), pair, shown, told)
    whole = shown.all and told.all
    if not found and whole:
        found = list(_fabric(pair))
    effects = [*_fates(pair, shown), *(kept_differences(pair) if whole else ())]
    return in_one((found, borne_out(effects, pair, shown, told)))


def added(view: ServiceView) -> Difference:
    """The difference for a service port that only the later dump has."""
    return _whole(view, DifferenceKind.SERVICE_ADDED, "added", before=None, after=summary(view))


def removed(view: ServiceView) -> Difference:
    """The difference for a service port that only the earlier dump has."""
    return _whole(view, DifferenceKind.SERVICE_REMOVED, "removed", before=summary(view), after=None)


def summary(view: ServiceView) -> Value:
    """A service port as a little JSON: its frontends and endpoints."""
    return {
        "frontends": values_of(frontend_names(view)),
        "endpoints": values_of(sorted(view.endpoints())),
    }


def _whole(view: ServiceView, kind: DifferenceKind, verb: str, before: Value, after: Value) -> Difference:
    places = ", ".join(frontend_names(view))
    count = len(view.endpoints())
    message = f"{verb}: {places or 'no frontend'}, {some(count, 'endpoint')}"
    return Difference(kind, view.family, message, view.label, view.protocol, None, before, after)


def _fates(pair: Pair, shown: Completeness) -> Iterator[Difference]:
    """Connections that other rules lose, or no longer lose, at frontends that both have. What parts of dumps leave in
    doubt may be in the other parts."""
    if not pair.before.losses and not pair.after.losses:
        return
    both = pair.before.frontends.keys() & pair.after.frontends.keys()
    common = {front(host or None, port) for host, port in both}
    before, after = _of_frontends(pair.before.losses, common), _of_frontends(pair.after.losses, common)
    for cause, old, new, message in loss_differences(before, after):
        if cause.in_doubt and not shown.all:
            continue
        difference = pair.difference(DifferenceKind.FATE, cause.place, old or None, new or None, message)
        yield replace(difference, cause=cause.words)


def _fabric(pair: Pair) -> Iterator[Difference]:
    """Rules that differ in ways that views do not show; only if the same kind of kube-proxy wrote both dumps."""
    before, after = pair.before.fabric, pair.after.fabric
    if not pair.named or not before or not after or before[0] != after[0] or before == after:
        return
    gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
    texts = [*gone, *come] or list(after[1:])
    words = [*(f"without {text}" for text in gone), *(f"with {text}" for text in come)]
    message = "; ".join(words[:4]) or "the same rules in another order"
    yield pair.difference(_kind_of(texts), _subject_of(texts), values_of(gone), values_of(come), message)


def _of_frontends(losses: Losses, frontends: set[str]) -> Losses:
    found = {cause: frozenset(each for each in lost if each[0] in frontends) for cause, lost in losses.items()}
    return {cause: lost for cause, lost in found.items() if lost}


def _kind_of(texts: Sequence[str]) -> DifferenceKind:
    """The kind of difference that rules of the fabric make."""
    if any(text.endswith(f"-j {MARK_MASQ}") for text in texts):
        return DifferenceKind.MASQUERADE
    if any(text.startswith(("nat KUBE-FW", f"filter {PROXY_FIREWALL}")) for text in texts):
        return DifferenceKind.SOURCE_RANGES
    if any(" -m recent " in text for text in texts):
        return DifferenceKind.AFFINITY
    if any(text.startswith(("nat KUBE-EXT", "nat KUBE-XLB")) for text in texts):
        return DifferenceKind.POLICY
    return DifferenceKind.VERDICT


def _subject_of(texts: Sequence[str]) -> str:
    """Their chain: `nat KUBE-EXT`."""
    return " ".join(texts[0].split(" ", 2)[:2])
