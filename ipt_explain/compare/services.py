"""How one service port differs between two dumps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.analyzers.facts import FrontendKind, Scope, Verdict
from ipt_explain.analyzers.names import MARK_MASQ, PROXY_FIREWALL
from ipt_explain.compare.differences import Difference, DifferenceKind, Value
from ipt_explain.compare.naming import frontend_name, frontend_names
from ipt_explain.compare.views import AffinityView, FrontendView, MasqueradeView, Pool, ServiceView

TOLERANCE = 2e-5
"""How far two equal chances may lie apart: kube-proxy up to 1.16 wrote them with five digits."""

_VERDICTS = {
    Verdict.BALANCE: "balanced",
    Verdict.REJECT: "rejected",
    Verdict.DROP: "dropped",
    Verdict.UNMATCHED: "let through without an endpoint",
    Verdict.UNKNOWN: "unknown",
}


def service_differences(before: ServiceView, after: ServiceView) -> list[Difference]:
    """All differences of a service port that both dumps have; none where both do the same."""
    if before == after:
        return []
    pair = _Pair(before, after)
    return list(pair.differences()) or list(pair.fabric())


def added(view: ServiceView) -> Difference:
    """A service port that only the later dump has."""
    return _whole(view, DifferenceKind.SERVICE_ADDED, "added", before=None, after=summary(view))


def removed(view: ServiceView) -> Difference:
    """A service port that only the earlier dump has."""
    return _whole(view, DifferenceKind.SERVICE_REMOVED, "removed", before=summary(view), after=None)


def summary(view: ServiceView) -> Value:
    """A service port in a few words of JSON: where it is reached, and its endpoints."""
    return {
        "frontends": _values(frontend_names(view)),
        "endpoints": _values(sorted(view.endpoints())),
    }


def _whole(view: ServiceView, kind: DifferenceKind, verb: str, before: Value, after: Value) -> Difference:
    places = ", ".join(frontend_names(view))
    count = len(view.endpoints())
    endpoints = "1 endpoint" if count == 1 else f"{count or 'no'} endpoints"
    message = f"{verb}: {places or 'no frontend'}, {endpoints}"
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
        yield self._difference(_kind_of(texts), _subject_of(texts), _values(gone), _values(come), message)

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
                f"health check node port {_change(earlier_port, later_port)}",
            )  # fmt: skip

    def _frontend(self, name: str, before: FrontendView, after: FrontendView) -> Iterator[Difference]:
        if before.verdict is not after.verdict and Verdict.UNKNOWN not in (before.verdict, after.verdict):
            message = f"{name}: connections were {_VERDICTS[before.verdict]}, now {_VERDICTS[after.verdict]}"
            yield self._difference(DifferenceKind.VERDICT, name, before.verdict.value, after.verdict.value, message)
        if before.source_ranges != after.source_ranges and before.verdict is after.verdict is Verdict.BALANCE:
            message = f"{name}: source ranges {_ranges(before.source_ranges)} -> {_ranges(after.source_ranges)}"
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
        parts = [f"{endpoint} {_percent(old)} -> {_percent(new)}" for endpoint, old, new in changed[:4]]
        parts += [f"{len(changed) - 4} more"] if len(changed) > 4 else []
        parts += [f"no endpoint {_percent(before.unmatched)} -> {_percent(after.unmatched)}"] if leak else []
        old_chances: dict[str, Value] = {endpoint: old for endpoint, old, _ in changed}
        new_chances: dict[str, Value] = {endpoint: new for endpoint, _, new in changed}
        if leak:
            old_chances["unmatched"], new_chances["unmatched"] = before.unmatched, after.unmatched
        message = f"chances among {subject}: {', '.join(parts)}"
        yield self._difference(DifferenceKind.PROBABILITY, subject, old_chances, new_chances, message)

    def _affinity(self) -> Iterator[Difference]:
        before, after = self.before.affinity, self.after.affinity
        # A service without endpoints shows no affinity, whatever it has.
        if before == after or not self.before.endpoints() or not self.after.endpoints():
            return
        if _same_but_for_endpoints(before, after, self.before.endpoints() & self.after.endpoints()):
            return
        message = f"session affinity {_affinity_words(before)} -> {_affinity_words(after)}"
        yield self._difference(DifferenceKind.AFFINITY, None, _affinity_value(before), _affinity_value(after), message)

    def _masquerade(self) -> Iterator[Difference]:
        before, after = self.before.masquerade, self.after.masquerade
        common = self.before.endpoints() & self.after.endpoints()
        old, new = set(before.without_hairpin), set(after.without_hairpin)
        lost, won = sorted((new - old) & common), sorted((old - new) & common)
        for subject, endpoints, was in (("hairpin", lost, True), ("hairpin", won, False)):
            if endpoints:
                words = "no longer masqueraded" if was else "masqueraded now"
                yield self._difference(
                    DifferenceKind.MASQUERADE, subject, _flags(endpoints, was), _flags(endpoints, not was),
                    f"connections of {', '.join(endpoints)} to itself: {words}",
                )  # fmt: skip
        seen = _seen_cluster_ip(self.before) and _seen_cluster_ip(self.after)
        if seen and (before.all, before.off_cluster) != (after.all, after.off_cluster):
            yield self._difference(
                DifferenceKind.MASQUERADE, "ClusterIP", _source_value(before), _source_value(after),
                f"ClusterIP connections masqueraded: {_source_words(before)} -> {_source_words(after)}",
            )  # fmt: skip
        if None not in (before.external, after.external) and before.external != after.external:
            yield self._difference(
                DifferenceKind.MASQUERADE, "external addresses", _words(before.external), _words(after.external),
                f"connections to external addresses masqueraded: {_when(before.external)} -> {_when(after.external)}",
            )  # fmt: skip


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
    return before.verdict is after.verdict is Verdict.BALANCE and _reach(before) != _reach(after)


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
        frontend.kind is FrontendKind.CLUSTER_IP and frontend.verdict is Verdict.BALANCE
        for frontend in view.frontends.values()
    )


def _same_but_for_endpoints(before: AffinityView | None, after: AffinityView | None, common: frozenset[str]) -> bool:
    if before is None or after is None:
        return False
    return before.seconds == after.seconds and common.intersection(before.without) == common.intersection(after.without)


def _affinity_value(affinity: AffinityView | None) -> Value:
    if affinity is None:
        return None
    seconds: Value = affinity.seconds[0] if len(affinity.seconds) == 1 else _values(affinity.seconds)
    value: dict[str, Value] = {"type": "ClientIP", "timeout_seconds": seconds}
    if affinity.without:
        value["without"] = _values(affinity.without)
    return value


def _affinity_words(affinity: AffinityView | None) -> str:
    if affinity is None:
        return "none"
    words = "ClientIP " + ", ".join(f"{seconds} s" for seconds in affinity.seconds)
    return words + (f" (not for {', '.join(affinity.without)})" if affinity.without else "")


def _source_value(masquerade: MasqueradeView) -> Value:
    return {"all": masquerade.all, "off_cluster": masquerade.off_cluster}


def _source_words(masquerade: MasqueradeView) -> str:
    if masquerade.all:
        return "all"
    return "none" if masquerade.off_cluster is None else f"from outside {masquerade.off_cluster}"


def _words(conditions: tuple[str, ...] | None) -> list[Value]:
    return list(conditions or ())


def _when(conditions: tuple[str, ...] | None) -> str:
    return ", ".join(conditions) if conditions else "never"


def _flags(endpoints: Iterable[str], value: bool) -> Value:
    return dict.fromkeys(endpoints, value)


def _values(items: Iterable[str] | Iterable[int]) -> list[Value]:
    return list(items)


def _ranges(ranges: tuple[str, ...]) -> str:
    return ", ".join(ranges) if ranges else "any"


def _change(before: int | None, after: int | None) -> str:
    if before is None:
        return f"{after} added"
    return f"{before} removed" if after is None else f"{before} -> {after}"


def _percent(probability: float) -> str:
    return f"{probability * 100:.2f} %"
