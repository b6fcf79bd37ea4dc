"""How a service port treats clients in two dumps: affinity, and whose source address is rewritten."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.compare.differences import Difference, DifferenceKind, Value
from ipt_explain.compare.services.pair import Pair
from ipt_explain.compare.services.views import AffinityView, ServiceView
from ipt_explain.compare.services.wording import (
    affinity_value,
    affinity_words,
    flags,
    source_value,
    source_words,
    values_of,
    when,
)
from ipt_explain.records import replace
from ipt_explain.services.health import unanswered
from ipt_explain.services.ports import FrontendKind, FrontendVerdict


def affinity_differences(pair: Pair) -> Iterator[Difference]:
    """For how long a client keeps its endpoint."""
    before, after = pair.before.affinity, pair.after.affinity
    # A service without endpoints shows no affinity even if it has some.
    if before == after or not pair.earlier or not pair.later:
        return
    if _same_but_for_endpoints(before, after, pair.common):
        return
    message = f"session affinity {affinity_words(before)} -> {affinity_words(after)}"
    yield pair.difference(DifferenceKind.AFFINITY, None, affinity_value(before), affinity_value(after), message)


def masquerade_differences(pair: Pair) -> Iterator[Difference]:
    """Whose source address is rewritten."""
    before, after = pair.before.masquerade, pair.after.masquerade
    if before == after:
        return
    old, new = set(before.without_hairpin), set(after.without_hairpin)
    lost, won = sorted((new - old) & pair.common), sorted((old - new) & pair.common)
    for subject, endpoints, was in (("hairpin", lost, True), ("hairpin", won, False)):
        if endpoints:
            words = "no longer masqueraded" if was else "masqueraded now"
            yield pair.difference(
                DifferenceKind.MASQUERADE, subject, flags(endpoints, was), flags(endpoints, not was),
                f"connections of {', '.join(endpoints)} to itself: {words}",
            )  # fmt: skip
    seen = _seen_cluster_ip(pair.before) and _seen_cluster_ip(pair.after)
    if seen and (before.all, before.off_cluster) != (after.all, after.off_cluster):
        words = f"{source_words(before)} -> {source_words(after)}"
        difference = pair.difference(
            DifferenceKind.MASQUERADE, "ClusterIP", source_value(before), source_value(after),
            f"ClusterIP connections masqueraded: {words}",
        )  # fmt: skip
        yield replace(difference, cause=f"are masqueraded: {words}")
    # Another policy masquerades other connections, which goes without saying.
    same_policy = pair.before.external_policy is pair.after.external_policy
    if same_policy and None not in (before.external, after.external) and before.external != after.external:
        yield pair.difference(
            DifferenceKind.MASQUERADE, "external addresses",
            values_of(before.external or ()), values_of(after.external or ()),
            f"connections to external addresses masqueraded: {when(before.external)} -> {when(after.external)}",
        )  # fmt: skip


def kept_differences(pair: Pair) -> Iterator[Difference]:
    """Whether marks for masquerading have no effect, or have one again. What a Service without endpoints lacks is not
    known."""
    before, after = pair.before.masquerade.kept, pair.after.masquerade.kept
    if not pair.earlier or not pair.later:
        return
    for kept, now in ((before, False), (after, True)):
        if kept is not None and (before is None or after is None or before.why != after.why):
            verbs = ("are", "keep") if now else ("were", "kept")
            cause = f"{verbs[0]} marked for masquerading but {verbs[1]} their source ({kept.why})"
            value: Value = {"why": kept.why, "clients": kept.clients}
            message = f"connections {cause}: {unanswered(kept.clients)}"
            difference = pair.difference(
                DifferenceKind.MASQUERADE, "marks", None if now else value, value if now else None,
                message if now else f"masqueraded again: connections that {cause}",
            )  # fmt: skip
            yield replace(difference, cause=cause)


def _seen_cluster_ip(view: ServiceView) -> bool:
    """Whether the text shows how ClusterIP connections are masqueraded, which it cannot if they are refused."""
    return any(
        frontend.kind is FrontendKind.CLUSTER_IP and frontend.verdict is FrontendVerdict.BALANCE
        for frontend in view.frontends.values()
    )


def _same_but_for_endpoints(before: AffinityView | None, after: AffinityView | None, common: frozenset[str]) -> bool:
    if before is None or after is None:
        return False
    return before.seconds == after.seconds and common.intersection(before.without) == common.intersection(after.without)
