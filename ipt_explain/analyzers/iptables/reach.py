"""What happens to connections to one frontend: its verdict, and the chain that balances them."""

from __future__ import annotations

from ipt_explain.analyzers.iptables.balancing import Spread
from ipt_explain.analyzers.iptables.frontends import Entry
from ipt_explain.analyzers.iptables.routing import Route, RouteReader
from ipt_explain.analyzers.names import ChainRole, role_of
from ipt_explain.records import dataclass
from ipt_explain.services.ports import Frontend, FrontendVerdict, Scope
from ipt_explain.words.addresses import without_prefix

_REFUSALS = (FrontendVerdict.REJECT, FrontendVerdict.DROP)


@dataclass(frozen=True, slots=True)
class Reached:
    """A frontend, and the chains that it leads to."""

    frontend: Frontend
    entry: Entry
    route: Route | None

    @property
    def balancer(self) -> Spread | None:
        """The balancer for connections from outside the node."""
        return None if self.route is None else self.route.balancer

    @property
    def node_balancer(self) -> Spread | None:
        """The balancer for connections from pods and the node, if it is another."""
        return None if self.route is None else self.route.node_balancer


class FrontendFollower:
    """Follows frontends to their chains. In a `fragment`, what the input does not show may exist."""

    def __init__(self, routes: RouteReader, fragment: bool) -> None:
        self._routes = routes
        self._fragment = fragment

    def follow(self, entry: Entry, own: frozenset[str]) -> Reached:
        """What happens to connections to a frontend. `own`: all addresses of its service port."""
        target = entry.jumps[0].target if entry.jumps else None
        route = None if target is None else self._routes.follow(target, entry.address.protocol)
        balancer = None if route is None else route.balancer
        verdict = self._verdict(entry, route)
        node = None if route is None else route.node_balancer
        frontend = Frontend(
            kind=entry.kind,
            address=entry.address.host,
            port=entry.address.port,
            evidence=entry.evidence,
            verdict=verdict,
            balancer=None if balancer is None or verdict in _REFUSALS else balancer.name,
            node_balancer=None if node is None else node.name,
            source_ranges=() if route is None else _source_ranges(route, entry.address.host, own),
        )
        return Reached(frontend, entry, route)

    def _verdict(self, entry: Entry, route: Route | None) -> FrontendVerdict:
        refused = None
        if entry.refusal is not None:
            refused = FrontendVerdict.REJECT if entry.refusal.target == "REJECT" else FrontendVerdict.DROP
        if route is None:
            return refused or FrontendVerdict.UNKNOWN
        spread = route.balancer
        if spread is not None and spread.shares:
            return FrontendVerdict.BALANCE
        if refused is not None:
            return refused
        if spread is not None and spread.dropped > 0.0:
            return FrontendVerdict.DROP
        if route.missing:
            return FrontendVerdict.UNKNOWN
        # In a fragment the filter table's refusal may be what is missing.
        return FrontendVerdict.UNKNOWN if self._fragment else FrontendVerdict.UNMATCHED


def scope_of(spread: Spread) -> Scope:
    """Whether a chain balances over all endpoints or only over those on this node."""
    local = role_of(spread.name) in (ChainRole.LOCAL, ChainRole.LOCAL_EXTERNAL)
    return Scope.LOCAL if local else Scope.CLUSTER


def _source_ranges(route: Route, address: str | None, own: frozenset[str]) -> tuple[str, ...]:
    """The source ranges that may reach a load balancer. Rules that accept the Service's own addresses are for the node
    itself, so they do not count.
    """
    named = tuple(each for each in route.ranges if without_prefix(each) not in own)
    if not route.open_range:
        return named
    everything = "::/0" if address is not None and ":" in address else "0.0.0.0/0"
    return (*named, everything)
