"""The frontends of a service port in two dumps, their traffic policies, and what happens to connections there."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.compare.differences import Difference, DifferenceKind
from ipt_explain.compare.services.naming import frontend_name
from ipt_explain.compare.services.pair import Pair
from ipt_explain.compare.services.views import FrontendView
from ipt_explain.compare.services.wording import change_words, ranges
from ipt_explain.services.ports import FrontendVerdict, ProxyMode, Scope


def frontend_differences(pair: Pair) -> Iterator[Difference]:
    """Differences in where it can be reached, and in what happens to connections there."""
    earlier, later = pair.before.frontends, pair.after.frontends
    for address, frontend in earlier.items():
        if address not in later:
            name = frontend_name(address, frontend)
            yield pair.difference(DifferenceKind.FRONTEND_REMOVED, name, name, None, f"{name} removed")
    for address, frontend in later.items():
        known = earlier.get(address)
        if known is None:
            name = frontend_name(address, frontend)
            yield pair.difference(DifferenceKind.FRONTEND_ADDED, name, None, name, f"{name} added")
        elif _without_endpoints(known) != _without_endpoints(frontend):
            yield from _frontend(pair, frontend_name(address, frontend), known, frontend)
    earlier_port, later_port = pair.before.health_check_node_port, pair.after.health_check_node_port
    # Only rules of iptables mode show health checks.
    if earlier_port != later_port and pair.named and pair.before.mode is pair.after.mode:
        kind = DifferenceKind.FRONTEND_ADDED if earlier_port is None else DifferenceKind.FRONTEND_REMOVED
        yield pair.difference(
            kind, "health check node port", earlier_port, later_port,
            f"health check node port {change_words(earlier_port, later_port)}",
        )  # fmt: skip


def _frontend(pair: Pair, name: str, before: FrontendView, after: FrontendView) -> Iterator[Difference]:
    if before.verdict is not after.verdict and FrontendVerdict.UNKNOWN not in (before.verdict, after.verdict):
        message = f"{name}: connections were {before.verdict.done}, now {after.verdict.done}"
        yield pair.difference(DifferenceKind.VERDICT, name, before.verdict.value, after.verdict.value, message)
    if before.source_ranges != after.source_ranges and before.verdict is after.verdict is FrontendVerdict.BALANCE:
        message = f"{name}: source ranges {ranges(before.source_ranges)} -> {ranges(after.source_ranges)}"
        yield pair.difference(
            DifferenceKind.SOURCE_RANGES, name, list(before.source_ranges), list(after.source_ranges), message
        )
    # IPVS has no trace of policy Local: it balances over local endpoints as over any others.
    modes = {pair.before.mode, pair.after.mode}
    alike = len(modes) == 1 or ProxyMode.IPVS not in modes
    if alike and _reaches_other_pool(before, after) and not any(policy_differences(pair)):
        yield pair.difference(
            DifferenceKind.POLICY,
            name,
            _reach(before),
            _reach(after),
            f"{name}: {_reach(before)} -> {_reach(after)}",
        )


def policy_differences(pair: Pair) -> Iterator[Difference]:
    """Differences in traffic policies that both dumps show."""
    pairs = (
        ("internal traffic policy", pair.before.internal_policy, pair.after.internal_policy),
        ("external traffic policy", pair.before.external_policy, pair.after.external_policy),
    )
    for subject, before, after in pairs:
        if before is not after and before is not None and after is not None:
            message = f"{subject} {before.value} -> {after.value}"
            yield pair.difference(DifferenceKind.POLICY, subject, before.value, after.value, message)


def _without_endpoints(frontend: FrontendView) -> tuple[object, ...]:
    """What two views of a frontend may differ in, apart from the endpoints of its pools."""
    return frontend.verdict, frontend.source_ranges, _reach(frontend)


def _reaches_other_pool(before: FrontendView, after: FrontendView) -> bool:
    return before.verdict is after.verdict is FrontendVerdict.BALANCE and _reach(before) != _reach(after)


def _reach(frontend: FrontendView) -> str:
    pool, node_pool = frontend.pool, frontend.node_pool
    words = "all endpoints" if pool is None or pool.scope is Scope.CLUSTER else "endpoints on this node"
    if node_pool is not None and pool is not None and node_pool.scope is not pool.scope:
        other = "all endpoints" if node_pool.scope is Scope.CLUSTER else "endpoints on this node"
        words += f" (pods and the node itself: {other})"
    return words
