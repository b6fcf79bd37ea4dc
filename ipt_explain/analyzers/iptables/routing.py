"""From a frontend's target chain to its balancer: through firewalls (KUBE-FW) and external chains (KUBE-EXT,
KUBE-XLB).
"""

from __future__ import annotations

from ipt_explain.analyzers.iptables.balancing import BalancerReader, Spread
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ, ChainRole, role_of
from ipt_explain.model import Table
from ipt_explain.records import Record, replace

_MAX_DEPTH = 8


class Route(Record):
    """Where a frontend's chain leads connections from outside the node.

    `spread` is that of the balancer, None if no rule leads to one; `node_spread` that of the balancer for pods and the
    node itself, None if it is the same.
    `local`: outside connections reach only endpoints on this node (external policy Local). `has_policy`: the way goes
    through a chain that implements the external policy (KUBE-EXT, KUBE-XLB). `missing`: chains on the way that the
    input does not show. `ranges`: the sources that a firewall accepts; `open_range`: it has a rule that accepts all.
    """

    spread: Spread | None
    node_spread: Spread | None
    local: bool
    has_policy: bool = False
    missing: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    open_range: bool = False


NOWHERE = Route(None, None, local=False)
"""That of a frontend without a chain."""


class RouteReader:
    """Follows frontends' chains in one nat table."""

    def __init__(self, nat: Table | None, plans: Plans, balancers: BalancerReader) -> None:
        self._chains = {} if nat is None else nat.chains
        self._plans = plans
        self._balancers = balancers
        self._known: dict[tuple[str, str], Route] = {}

    def follow(self, target: str, protocol: str, depth: int = 0) -> Route:
        """The route that begins at a frontend's target chain."""
        key = (target, protocol)
        route = self._known.get(key)
        if route is None:
            route = self._known[key] = self._follow(target, protocol, depth)
        return route

    def _follow(self, target: str, protocol: str, depth: int) -> Route:
        role = role_of(target)
        if target not in self._chains:
            return Route(None, None, local=False, missing=(target,))
        if depth < _MAX_DEPTH:
            if role is ChainRole.FIREWALL:
                return self._through_firewall(target, protocol, depth)
            if role is ChainRole.EXTERNAL:
                return self._through_external(target, protocol)
        spread = self._balancers.read(target, protocol)
        if role is ChainRole.LOCAL_EXTERNAL:
            node = self._redirected(spread, protocol)
            return Route(spread, node, local=True, has_policy=True)
        return Route(spread, None, local=role is ChainRole.LOCAL)

    def _through_external(self, name: str, protocol: str) -> Route:
        """KUBE-EXT: its first rules redirect pods and the node itself, its last one sends all others on."""
        spread = self._balancers.read(name, protocol)
        node = self._redirected(spread, protocol)
        onward = self._onward(spread)
        if onward is None:
            # Its own endpoints, or no tail: since 1.25 it has none where policy Local has no local endpoint.
            outside = spread if spread.shares or spread.dropped else None
            return Route(outside, node, local=node is not None, has_policy=True)
        missing = () if onward in self._chains else (onward,)
        outside = self._balancers.read(onward, protocol) if not missing else None
        local = role_of(onward) is ChainRole.LOCAL
        return Route(outside, node, local, has_policy=True, missing=missing)

    def _through_firewall(self, name: str, protocol: str, depth: int) -> Route:
        """KUBE-FW: accepted source ranges are sent on; all others are marked for dropping, or return."""
        ranges: list[str] = []
        open_range, onward = False, None
        chain = self._chains[name]
        for shape, start in zip(chain.layout.shapes, chain.layout.offsets):
            plan = self._plans[shape]
            target = None if plan.target_slot is None else chain.at(start + plan.target_slot)
            if target is not None and target != MARK_MASQ and target != MARK_DROP:
                onward = onward or target
                if plan.source is None:
                    open_range = True
                elif not plan.source.negated:
                    ranges.append(chain.at(start + plan.source.slot))
        if onward is None:
            return NOWHERE
        route = self.follow(onward, protocol, depth + 1)
        return replace(route, ranges=tuple(dict.fromkeys(ranges)), open_range=open_range)

    def _redirected(self, spread: Spread, protocol: str) -> Spread | None:
        """The balancer for pods or the node itself."""
        for rule in spread.evidence(spread.redirects):
            target = rule.target
            if target is not None and target in self._chains:
                return self._balancers.read(target, protocol)
        return None

    def _onward(self, spread: Spread) -> str | None:
        for rule in spread.evidence(spread.balancing):
            plan = self._plans[rule.shape]
            if plan.target_slot is not None and plan.probability is None:
                return rule.target
        return None
