"""The rules that lead to a Service: one per address and port in KUBE-SERVICES and KUBE-NODEPORTS, and the refusals of
the filter table; and what happens to connections there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.iptables.plans import Plans, RulePlan
from ipt_explain.analyzers.iptables.routing import NOWHERE, Route, RouteReader
from ipt_explain.analyzers.names import (
    EXTERNAL_SERVICES,
    MARK_MASQ,
    NODE_PORTS,
    SERVICES,
    ChainRole,
    CommentKind,
    ServicePortName,
    chain_hash,
    hash_of,
    read_comment,
    role_of,
)
from ipt_explain.model import Ruleset
from ipt_explain.netfilter.header import parse_port, usual_name
from ipt_explain.records import Record, field
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.ports import Frontend, FrontendKind, FrontendVerdict
from ipt_explain.words import without_prefix

_KINDS = {
    CommentKind.CLUSTER_IP: FrontendKind.CLUSTER_IP,
    CommentKind.EXTERNAL_IP: FrontendKind.EXTERNAL_IP,
    CommentKind.LOAD_BALANCER: FrontendKind.LOAD_BALANCER,
}

Address = tuple["str | None", str, int]
"""A frontend's address, protocol and port. A node port has no address of its own."""


class FrontendRules(Record, frozen=False):
    """Everything that the input says about one frontend, while it is gathered.

    `evidence` is the rule to show for it: the first that leads to `target`, its first chain, or a refusal. `others` are
    the chains that later rules lead to; `marks` mark for masquerading before the jump; `refusal` is the filter table's
    REJECT or DROP. `route` is where `target` leads.
    """

    kind: FrontendKind
    host: str | None
    protocol: str
    port: int
    evidence: Evidence
    target: str | None
    others: list[str] = field(default_factory=list)
    marks: Sequence[Evidence] = ()
    refusal: Evidence | None = None
    refusal_kind: CommentKind | None = None
    route: Route = NOWHERE


class FrontendGroup(Record, frozen=False):
    """What the input says about a service port's frontends, by the hash in its chains' names."""

    key: str
    name: ServicePortName | None
    fronts: list[FrontendRules]

    @property
    def hosts(self) -> Iterator[str | None]:
        """The addresses of its frontends."""
        return (front.host for front in self.fronts)


class FrontendReader:
    """Gathers the frontends of one ruleset. `unread` are rules that lead to a Service's chain, but name no address and
    port; kube-proxy writes none.
    """

    def __init__(self, ruleset: Ruleset, plans: Plans) -> None:
        self._ruleset = ruleset
        self._plans = plans
        self._groups: dict[str, FrontendGroup] = {}
        self._by_address: dict[Address, tuple[FrontendGroup, FrontendRules]] = {}
        self._marks: dict[Address, list[Evidence]] = {}
        self._others: list[tuple[Evidence, RulePlan, Address, str]] = []
        self.unread: list[Evidence] = []

    def read(self) -> list[FrontendGroup]:
        """All service ports with a frontend in the text, in the order of the text."""
        for evidence, plan in self._rules("nat", SERVICES):
            self._take(evidence, plan, node_port=False)
        for evidence, plan in self._rules("nat", NODE_PORTS):
            self._take(evidence, plan, node_port=True)
        for evidence, plan, address, target in self._others:
            if address not in self._by_address:
                self._lead(evidence, plan, address, target, None)
        for chain in (SERVICES, EXTERNAL_SERVICES):
            for evidence, plan in self._rules("filter", chain):
                self._refuse(evidence, plan, chain)
        for address, marks in self._marks.items():
            if address in self._by_address:
                self._by_address[address][1].marks = marks
        return list(self._groups.values())

    def _rules(self, table: str, name: str) -> Iterator[tuple[Evidence, RulePlan]]:
        chain = self._ruleset.chain(table, name)
        if chain is not None:
            for number, plan in enumerate(map(self._plans.__getitem__, chain.layout.shapes)):
                yield Evidence(chain, number), plan

    def _take(self, evidence: Evidence, plan: RulePlan, node_port: bool) -> None:
        target = evidence.target
        if target is None or target == NODE_PORTS:
            return
        addresses, key = _addresses(plan, evidence, node_port), hash_of(target)
        if not addresses and key is not None:
            self.unread.append(evidence)
        for address in addresses:
            if target == MARK_MASQ or target == "MARK":
                self._marks.setdefault(address, []).append(evidence)
            elif key is None:  # not kube-proxy's: a frontend only if kube-proxy has no rule for it
                self._others.append((evidence, plan, address, target))
            else:
                self._lead(evidence, plan, address, target, key)

    def _lead(self, evidence: Evidence, plan: RulePlan, address: Address, target: str, key: str | None) -> None:
        known = self._by_address.get(address)
        if known is not None:
            known[1].others.append(target)
            return
        name, comment = _said(plan, evidence)
        kind = FrontendKind.NODE_PORT if address[0] is None else _KINDS.get(comment) or _kind_by_target(target)
        self._add(key or _key(name, address), name, address, FrontendRules(kind, *address, evidence, target))

    def _refuse(self, evidence: Evidence, plan: RulePlan, chain: str) -> None:
        if plan.target == "REJECT" or plan.target == "DROP":
            for address in _addresses(plan, evidence, node_port=plan.destination is None):
                self._decline(evidence, plan, chain, address)

    def _decline(self, evidence: Evidence, plan: RulePlan, chain: str, address: Address) -> None:
        name, comment = _said(plan, evidence)
        known = self._by_address.get(address)
        if known is not None:
            if known[1].refusal is None:
                known[1].refusal, known[1].refusal_kind = evidence, comment
            return
        key = _key(name, address)
        kind = FrontendKind.NODE_PORT if address[0] is None else FrontendKind.EXTERNAL
        if address[0] is not None and chain == SERVICES and not self._has_cluster_ip(key):
            # Up to 1.19 load balancer addresses are here too, after the service's ClusterIP.
            kind = FrontendKind.CLUSTER_IP
        front = FrontendRules(kind, *address, evidence, None, refusal=evidence, refusal_kind=comment)
        self._add(key, name, address, front)

    def _add(self, key: str, name: ServicePortName | None, address: Address, front: FrontendRules) -> None:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = FrontendGroup(key, name, [front])
        else:
            group.fronts.append(front)
            group.name = group.name or name
        self._by_address[address] = group, front

    def _has_cluster_ip(self, key: str) -> bool:
        group = self._groups.get(key)
        return group is not None and any(front.kind is FrontendKind.CLUSTER_IP for front in group.fronts)


def _said(plan: RulePlan, evidence: Evidence) -> tuple[ServicePortName | None, CommentKind]:
    comment = plan.comment_of(evidence)
    return (None, CommentKind.BARE) if comment is None else read_comment(comment)


def _key(name: ServicePortName | None, address: Address) -> str:
    host, protocol, port = address
    return f"{host} {protocol} {port}" if name is None else chain_hash(name.spelled, protocol)


def _kind_by_target(target: str) -> FrontendKind:
    role = role_of(target)
    if role is ChainRole.FIREWALL:
        return FrontendKind.LOAD_BALANCER
    if role in (ChainRole.EXTERNAL, ChainRole.LOCAL_EXTERNAL):
        return FrontendKind.EXTERNAL
    return FrontendKind.CLUSTER_IP


def _addresses(plan: RulePlan, evidence: Evidence, node_port: bool) -> Sequence[Address]:
    """The address, protocol and port that a frontend's rule matches, one for each port that it lists. None for other
    rules and for those that match a range of ports."""
    host, protocol, port = plan.destination, plan.protocol, plan.destination_port or plan.destination_ports
    if port is None or port.negated or protocol is None or protocol.negated:
        return ()
    values, start = evidence.chain.values, evidence.start
    address = None
    if not node_port:
        if host is None or host.negated:
            return ()
        address = without_prefix(values[start + host.slot])
    named, ports = usual_name(values[start + protocol.slot]), values[start + port.slot]
    try:
        if plan.destination_port is not None:
            return ((address, named, parse_port(ports)),)
        return [(address, named, number) for number in map(parse_port, ports.split(","))]
    except ValueError:
        return ()  # a range


_REFUSALS = (FrontendVerdict.REJECT, FrontendVerdict.DROP)


class FrontendFollower:
    """Follows frontends to their chains. In a `fragment`, what the input does not show may exist."""

    def __init__(self, routes: RouteReader, fragment: bool) -> None:
        self._routes = routes
        self._fragment = fragment

    def follow(self, front: FrontendRules, group: FrontendGroup) -> Frontend:
        """What happens to connections to one of a service port's frontends. Notes its route."""
        route = front.route
        if front.target is not None:
            route = front.route = self._routes.follow(front.target, front.protocol)
        spread, node = route.spread, route.node_spread
        verdict = self._verdict(front, route)
        return Frontend(
            front.kind, front.host, front.port, front.evidence, verdict,
            None if spread is None or verdict in _REFUSALS else spread.balancer.chain,
            None if node is None else node.balancer.chain,
            _source_ranges(route, front.host, group) if route.ranges or route.open_range else (),
        )  # fmt: skip

    def _verdict(self, front: FrontendRules, route: Route) -> FrontendVerdict:
        spread = route.spread
        if spread is not None and spread.shares:
            return FrontendVerdict.BALANCE
        if front.refusal is not None:
            return FrontendVerdict.REJECT if front.refusal.target == "REJECT" else FrontendVerdict.DROP
        if spread is not None and spread.dropped > 0.0:
            return FrontendVerdict.DROP
        if route.missing:
            return FrontendVerdict.UNKNOWN
        # In a fragment the filter table's refusal may be what is missing.
        return FrontendVerdict.UNKNOWN if self._fragment else FrontendVerdict.UNMATCHED


def _source_ranges(route: Route, address: str | None, group: FrontendGroup) -> tuple[str, ...]:
    """The source ranges that may reach a load balancer. Rules that accept the Service's own addresses are for the node
    itself, so they do not count.
    """
    own = set(group.hosts)
    named = tuple([each for each in route.ranges if without_prefix(each) not in own])
    if not route.open_range:
        return named
    everything = "::/0" if address is not None and ":" in address else "0.0.0.0/0"
    return (*named, everything)
