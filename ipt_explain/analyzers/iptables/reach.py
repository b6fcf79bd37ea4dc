"""What happens to connections to one frontend: its verdict, and the chain that balances them."""

from __future__ import annotations

from ipt_explain.analyzers.iptables.frontends import Entries, Entry
from ipt_explain.analyzers.iptables.routing import NOWHERE, Route, RouteReader
from ipt_explain.records import dataclass
from ipt_explain.services.ports import Frontend, FrontendVerdict
from ipt_explain.words.addresses import without_prefix

_REFUSALS = (FrontendVerdict.REJECT, FrontendVerdict.DROP)


@dataclass(frozen=True, slots=True)
class Reached:
    """A frontend, and the chains that it leads to."""

    frontend: Frontend
    entry: Entry
    route: Route


class FrontendFollower:
    """Follows frontends to their chains. In a `fragment`, what the input does not show may exist."""

    def __init__(self, routes: RouteReader, fragment: bool) -> None:
        self._routes = routes
        self._fragment = fragment

    def follow(self, entry: Entry, group: Entries) -> Reached:
        """What happens to connections to one of a service port's frontends."""
        route = NOWHERE if entry.target is None else self._routes.follow(entry.target, entry.protocol)
        balancer, node = route.balancer, route.node_balancer
        verdict = self._verdict(entry, route)
        frontend = Frontend(
            entry.kind, entry.host, entry.port, entry.evidence, verdict,
            None if balancer is None or verdict in _REFUSALS else balancer.name,
            None if node is None else node.name,
            _source_ranges(route, entry.host, group) if route.ranges or route.open_range else (),
        )  # fmt: skip
        return Reached(frontend, entry, route)

    def _verdict(self, entry: Entry, route: Route) -> FrontendVerdict:
        spread = route.balancer
        if spread is not None and spread.shares:
            return FrontendVerdict.BALANCE
        if entry.refusal is not None:
            return FrontendVerdict.REJECT if entry.refusal.target == "REJECT" else FrontendVerdict.DROP
        if spread is not None and spread.dropped > 0.0:
            return FrontendVerdict.DROP
        if route.missing:
            return FrontendVerdict.UNKNOWN
        # In a fragment the filter table's refusal may be what is missing.
        return FrontendVerdict.UNKNOWN if self._fragment else FrontendVerdict.UNMATCHED


def _source_ranges(route: Route, address: str | None, group: Entries) -> tuple[str, ...]:
    """The source ranges that may reach a load balancer. Rules that accept the Service's own addresses are for the node
    itself, so they do not count.
    """
    own = set(group.hosts)
    named = tuple([each for each in route.ranges if without_prefix(each) not in own])
    if not route.open_range:
        return named
    everything = "::/0" if address is not None and ":" in address else "0.0.0.0/0"
    return (*named, everything)
