"""How one service port differs between two dumps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.names import MARK_MASQ, PROXY_FIREWALL
from ipt_explain.compare.differences import Difference, DifferenceKind, Value
from ipt_explain.compare.services.losses import Losses, loss_differences
from ipt_explain.compare.services.naming import frontend_name, frontend_names
from ipt_explain.compare.services.views import AffinityView, FrontendView, Pool, ServiceView
from ipt_explain.compare.services.wording import (
    affinity_value,
    affinity_words,
    change_words,
    condition_values,
    flags,
    ranges,
    source_value,
    source_words,
    values_of,
    when,
)
from ipt_explain.records import replace
from ipt_explain.services.ports import FrontendKind, FrontendVerdict, Scope
from ipt_explain.words.addresses import front
from ipt_explain.words.counts import some
from ipt_explain.words.lists import listed
from ipt_explain.words.percents import percents

TOLERANCE = 2e-5
"""How far two equal chances may lie apart: kube-proxy up to 1.16 wrote them with five digits."""

_VERDICTS = {
    FrontendVerdict.BALANCE: "balanced",
    FrontendVerdict.REJECT: "rejected",
    FrontendVerdict.DROP: "dropped",
    FrontendVerdict.UNMATCHED: "let through without an endpoint",
    FrontendVerdict.UNKNOWN: "unknown",
}


def service_differences(before: ServiceView, after: ServiceView) -> list[Difference]:
    """All differences of a service port that both dumps have; none where both do the same."""
    if before == after:
        return []
    pair = _Pair(before, after)
    return [*(list(pair.differences()) or list(pair.fabric())), *pair.fates()]


def added(view: ServiceView) -> Difference:
    """A service port that only the later dump has."""
    return _whole(view, DifferenceKind.SERVICE_ADDED, "added", before=None, after=summary(view))


def removed(view: ServiceView) -> Difference:
    """A service port that only the earlier dump has."""
    return _whole(view, DifferenceKind.SERVICE_REMOVED, "removed", before=summary(view), after=None)


def summary(view: ServiceView) -> Value:
    """A service port in a few words of JSON: where it is reached, and its endpoints."""
    return {
        "frontends": values_of(frontend_names(view)),
        "endpoints": values_of(sorted(view.endpoints())),
    }


def _whole(view: ServiceView, kind: DifferenceKind, verb: str, before: Value, after: Value) -> Difference:
    places = ", ".join(frontend_names(view))
    count = len(view.endpoints())
    message = f"{verb}: {places or 'no frontend'}, {some(count, 'endpoint')}"
    return Difference(kind, view.family, message, view.label, view.protocol, None, before, after)


class _Pair:
    def __init__(self, before: ServiceView, after: ServiceView) -> None:
        self.before = before
        self.after = after

    def differences(self) -> Iterator[Difference]:
        """All of them, in the order that people ask: reachable how, what becomes of it, by whom, how."""
        yield from self._frontends()
        yield from self._policies()
        yield from self._endpoints()
        yield from self._affinity()
        yield from self._masquerade()

    def fates(self) -> Iterator[Difference]:
        """Connections that other rules lose, or no longer lose, at frontends that both have."""
        both = self.before.frontends.keys() & self.after.frontends.keys()
        common = {front(host or None, port) for host, port in both}
        before, after = _of_frontends(self.before.losses, common), _of_frontends(self.after.losses, common)
        for cause, old, new, message in loss_differences(before, after):
            difference = self._difference(DifferenceKind.FATE, cause.place, old or None, new or None, message)
            yield replace(difference, cause=cause.words)

    def fabric(self) -> Iterator[Difference]:
        """Rules that differ though no view tells what for; of dumps by the same kind of kube-proxy alone."""
        before, after = self.before.fabric, self.after.fabric
        named = self.before.named and self.after.named
        if not named or not before or not after or before[0] != after[0] or before == after:
            return
        gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
        texts = [*gone, *come] or list(after[1:])
        words = [*(f"without {text}" for text in gone), *(f"with {text}" for text in come)]
        message = "; ".join(words[:4]) or "the same rules in another order"
        yield self._difference(_kind_of(texts), _subject_of(texts), values_of(gone), values_of(come), message)

    def _difference(
        self, kind: DifferenceKind, subject: str | None, before: Value, after: Value, message: str
    ) -> Difference:
        label = self.after.label if self.after.named else self.before.label
        return Difference(kind, self.after.family, message, label, self.after.protocol, subject, before, after)

    def _frontends(self) -> Iterator[Difference]:
        earlier, later = self.before.frontends, self.after.frontends
        for address, frontend in earlier.items():
            if address not in later:
                name = frontend_name(address, frontend)
                yield self._difference(DifferenceKind.FRONTEND_REMOVED, name, name, None, f"{name} removed")
        for address, frontend in later.items():
            known = earlier.get(address)
            name = frontend_name(address, frontend)
            if known is None:
                yield self._difference(DifferenceKind.FRONTEND_ADDED, name, None, name, f"{name} added")
            else:
                yield from self._frontend(name, known, frontend)
        earlier_port, later_port = self.before.health_check_node_port, self.after.health_check_node_port
        named = self.before.named and self.after.named
        if earlier_port != later_port and named:
            kind = DifferenceKind.FRONTEND_ADDED if earlier_port is None else DifferenceKind.FRONTEND_REMOVED
            yield self._difference(
                kind, "health check node port", earlier_port, later_port,
                f"health check node port {change_words(earlier_port, later_port)}",
            )  # fmt: skip

    def _frontend(self, name: str, before: FrontendView, after: FrontendView) -> Iterator[Difference]:
        if before.verdict is not after.verdict and FrontendVerdict.UNKNOWN not in (before.verdict, after.verdict):
            message = f"{name}: connections were {_VERDICTS[before.verdict]}, now {_VERDICTS[after.verdict]}"
            yield self._difference(DifferenceKind.VERDICT, name, before.verdict.value, after.verdict.value, message)
        if before.source_ranges != after.source_ranges and before.verdict is after.verdict is FrontendVerdict.BALANCE:
            message = (
                f"{name}: source ranges {ranges(before.source_ranges)} -> {ranges(after.source_ranges)}"
            )
            yield self._difference(
                DifferenceKind.SOURCE_RANGES, name, list(before.source_ranges), list(after.source_ranges), message
            )
        if _reaches_other_pool(before, after) and self._same_policies():
            yield self._difference(
                DifferenceKind.POLICY,
                name,
                _reach(before),
                _reach(after),
                f"{name}: {_reach(before)} -> {_reach(after)}",
            )

    def _same_policies(self) -> bool:
        return not any(True for _ in self._policies())

    def _policies(self) -> Iterator[Difference]:
        pairs = (
            ("internal traffic policy", self.before.internal_policy, self.after.internal_policy),
            ("external traffic policy", self.before.external_policy, self.after.external_policy),
        )
        for subject, before, after in pairs:
            if before is not after and before is not None and after is not None:
                message = f"{subject} {before.value} -> {after.value}"
                yield self._difference(DifferenceKind.POLICY, subject, before.value, after.value, message)

    def _endpoints(self) -> Iterator[Difference]:
        before, after = self.before.endpoints(), self.after.endpoints()
        for endpoint in sorted(before - after):
            message = f"endpoint {endpoint} removed"
            yield self._difference(DifferenceKind.ENDPOINT_REMOVED, None, endpoint, None, message)
        for endpoint in sorted(after - before):
            message = f"endpoint {endpoint} added"
            yield self._difference(DifferenceKind.ENDPOINT_ADDED, None, None, endpoint, message)
        for scope in Scope:
            earlier, later = self.before.pool(scope), self.after.pool(scope)
            if earlier is not None and later is not None and earlier != later:
                yield from self._pool(scope, earlier, later, before & after)

    def _pool(self, scope: Scope, before: Pool, after: Pool, common: frozenset[str]) -> Iterator[Difference]:
        """Endpoints that stay, but came to or left this pool; chances that changed otherwise than by their number."""
        subject = "endpoints on this node" if scope is Scope.LOCAL else "all endpoints"
        earlier, later = before.endpoints & common, after.endpoints & common
        for endpoint in sorted(earlier - later):
            message = f"endpoint {endpoint} removed from {subject}"
            yield self._difference(DifferenceKind.ENDPOINT_REMOVED, subject, endpoint, None, message)
        for endpoint in sorted(later - earlier):
            message = f"endpoint {endpoint} added to {subject}"
            yield self._difference(DifferenceKind.ENDPOINT_ADDED, subject, None, endpoint, message)
        if not before.shares or not after.shares:
            return
        changed = changed_shares(before, after)
        leak = abs(before.unmatched - after.unmatched) > TOLERANCE
        if not changed and not leak:
            return
        # Where endpoints came and went, a chance may have changed beside the others' and yet be the same number.
        told = [share for share in changed if abs(share[1] - share[2]) > TOLERANCE] or changed
        parts = [f"no endpoint {_change(before.unmatched, after.unmatched)}"] if leak else []
        parts += [f"{endpoint} {_change(old, new)}" for endpoint, old, new in told]
        old_chances: dict[str, Value] = {endpoint: old for endpoint, old, _ in changed}
        new_chances: dict[str, Value] = {endpoint: new for endpoint, _, new in changed}
        if leak:
            old_chances["unmatched"], new_chances["unmatched"] = before.unmatched, after.unmatched
        message = f"chances among {subject}: {listed(parts, 4)}"
        yield self._difference(DifferenceKind.PROBABILITY, subject, old_chances, new_chances, message)

    def _affinity(self) -> Iterator[Difference]:
        before, after = self.before.affinity, self.after.affinity
        # A service without endpoints shows no affinity, whatever it has.
        if before == after or not self.before.endpoints() or not self.after.endpoints():
            return
        if _same_but_for_endpoints(before, after, self.before.endpoints() & self.after.endpoints()):
            return
        message = f"session affinity {affinity_words(before)} -> {affinity_words(after)}"
        yield self._difference(DifferenceKind.AFFINITY, None, affinity_value(before), affinity_value(after), message)

    def _masquerade(self) -> Iterator[Difference]:
        before, after = self.before.masquerade, self.after.masquerade
        common = self.before.endpoints() & self.after.endpoints()
        old, new = set(before.without_hairpin), set(after.without_hairpin)
        lost, won = sorted((new - old) & common), sorted((old - new) & common)
        for subject, endpoints, was in (("hairpin", lost, True), ("hairpin", won, False)):
            if endpoints:
                words = "no longer masqueraded" if was else "masqueraded now"
                yield self._difference(
                    DifferenceKind.MASQUERADE, subject, flags(endpoints, was), flags(endpoints, not was),
                    f"connections of {', '.join(endpoints)} to itself: {words}",
                )  # fmt: skip
        seen = _seen_cluster_ip(self.before) and _seen_cluster_ip(self.after)
        if seen and (before.all, before.off_cluster) != (after.all, after.off_cluster):
            yield self._difference(
                DifferenceKind.MASQUERADE, "ClusterIP", source_value(before), source_value(after),
                f"ClusterIP connections masqueraded: {source_words(before)} -> {source_words(after)}",
            )  # fmt: skip
        if None not in (before.external, after.external) and before.external != after.external:
            yield self._difference(
                DifferenceKind.MASQUERADE, "external addresses",
                condition_values(before.external), condition_values(after.external),
                f"connections to external addresses masqueraded: {when(before.external)} -> {when(after.external)}",
            )  # fmt: skip


def _of_frontends(losses: Losses, frontends: set[str]) -> Losses:
    found = {cause: frozenset(each for each in lost if each[0] in frontends) for cause, lost in losses.items()}
    return {cause: lost for cause, lost in found.items() if lost}


def _kind_of(texts: Sequence[str]) -> DifferenceKind:
    """What rules of the fabric are about."""
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
    """The chain that they stand in: `nat KUBE-EXT`."""
    return " ".join(texts[0].split(" ", 2)[:2])


def changed_shares(before: Pool, after: Pool) -> list[tuple[str, float, float]]:
    """Endpoints of both pools whose chance relative to each other changed, with the chances as they are.

    That an endpoint came or went changes all chances alike, and is no change of its own.
    """
    earlier, later = dict(before.shares), dict(after.shares)
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


def _reaches_other_pool(before: FrontendView, after: FrontendView) -> bool:
    return before.verdict is after.verdict is FrontendVerdict.BALANCE and _reach(before) != _reach(after)


def _reach(frontend: FrontendView) -> str:
    pool, node_pool = frontend.pool, frontend.node_pool
    words = "all endpoints" if pool is None or pool.scope is Scope.CLUSTER else "endpoints on this node"
    if node_pool is not None and pool is not None and node_pool.scope is not pool.scope:
        other = "all endpoints" if node_pool.scope is Scope.CLUSTER else "endpoints on this node"
        words += f" (pods and the node itself: {other})"
    return words


def _seen_cluster_ip(view: ServiceView) -> bool:
    """Whether the text shows how ClusterIP connections are masqueraded: those that are refused are not."""
    return any(
        frontend.kind is FrontendKind.CLUSTER_IP and frontend.verdict is FrontendVerdict.BALANCE
        for frontend in view.frontends.values()
    )


def _same_but_for_endpoints(before: AffinityView | None, after: AffinityView | None, common: frozenset[str]) -> bool:
    if before is None or after is None:
        return False
    return before.seconds == after.seconds and common.intersection(before.without) == common.intersection(after.without)


def _change(before: float, after: float) -> str:
    return " -> ".join(percents((before, after)))
