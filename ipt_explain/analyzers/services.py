"""Service ports put together: frontends, balancers, endpoints, affinity, masquerading."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ipt_explain.analyzers.balancing import BalancerReader, Spread
from ipt_explain.analyzers.endpoints import EndpointReader, split_destination
from ipt_explain.analyzers.facts import (
    Balancer,
    Endpoint,
    Frontend,
    FrontendKind,
    Masquerade,
    Scope,
    ServiceChains,
    ServicePort,
    ServiceState,
    TrafficPolicy,
    Verdict,
)
from ipt_explain.analyzers.frontends import Entries, Entry, FrontendReader
from ipt_explain.analyzers.names import (
    NODE_PORTS,
    ChainRole,
    CommentKind,
    ServicePortName,
    chain_hash,
    hash_of,
    read_comment,
    role_of,
)
from ipt_explain.analyzers.plans import Plans
from ipt_explain.analyzers.routing import Route, RouteReader
from ipt_explain.model import Chain, Rule, Ruleset

Wanted = Callable[[ServicePortName | None], bool]

_PREFIXES = tuple((role, role.value) for role in ChainRole if role is not ChainRole.ENDPOINT)
_PROTOCOLS = ("tcp", "udp", "sctp")
_STATES = {
    Verdict.BALANCE: ServiceState.SERVING,
    Verdict.REJECT: ServiceState.NO_ENDPOINTS,
    Verdict.DROP: ServiceState.NO_LOCAL_ENDPOINTS,
    Verdict.UNMATCHED: ServiceState.UNMATCHED,
    Verdict.UNKNOWN: ServiceState.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class _Reached:
    """A frontend with what was found behind it."""

    frontend: Frontend
    entry: Entry
    route: Route | None
    balancer: Spread | None


class ServiceReader:
    """Reads the service ports of one ruleset.

    `single_internal_policy`: the release that wrote the rules balances ClusterIPs over all endpoints unless a KUBE-SVL
    chain says otherwise. From 1.21 to 1.23 internal policy Local left no trace of its own, so there the policy is not
    known.
    """

    def __init__(self, ruleset: Ruleset, plans: Plans, single_internal_policy: bool) -> None:
        self._ruleset = ruleset
        self._plans = plans
        self._single_internal_policy = single_internal_policy
        self._nat = ruleset.tables.get("nat")
        self.endpoints = EndpointReader(self._nat, plans)
        self.balancers = BalancerReader(self._nat, plans, self.endpoints)
        self.routes = RouteReader(self._nat, plans, self.balancers)
        self._health = _health_check_ports(ruleset, plans)

    def read(self, wanted: Wanted | None = None) -> list[ServicePort]:
        """The service ports by name. With `wanted`, only those whose name it accepts."""
        groups = FrontendReader(self._ruleset, self._plans).read()
        if self._ruleset.fragment:
            groups += self._without_frontend({group.key for group in groups})
        services = [self._service(group) for group in groups if wanted is None or wanted(group.name)]
        services.sort(key=_by_name)
        return services

    def _without_frontend(self, known: set[str]) -> Iterable[Entries]:
        """Service chains of a fragment that lacks the rules leading to them."""
        for chain in self._nat.chains.values() if self._nat is not None else ():
            key = hash_of(chain.name) if role_of(chain.name) in (ChainRole.SERVICE, ChainRole.LOCAL) else None
            if key is not None and key not in known:
                known.add(key)
                yield Entries(key, self._name_within(chain))

    def _name_within(self, chain: Chain) -> ServicePortName | None:
        """A service's name from the comments in its own chain, or its endpoints'."""
        targets = (self._plans[rule.shape].target_of(rule) for rule in chain.rules)
        chains = {} if self._nat is None else self._nat.chains
        behind = (chains[target] for target in targets if target is not None and target in chains)
        for member in (chain, *behind):
            for rule in member.rules:
                comment = self._plans[rule.shape].comment_of(rule)
                name = None if comment is None else read_comment(comment)[0]
                if name is not None:
                    return name
        return None

    def _service(self, group: Entries) -> ServicePort:
        protocol = self._protocol(group)
        own = frozenset(entry.address.host for entry in group.entries if entry.address.host is not None)
        reached = [self._reach(entry, own) for entry in group.entries]
        spreads = self._spreads(group, reached, protocol)
        cluster = self._cluster_spread(group, reached, protocol)
        endpoints = self._endpoint_facts(cluster, spreads)
        entry = next((each for each in reached if each.frontend.kind is FrontendKind.CLUSTER_IP), None)
        seconds = {each.seconds for spread in spreads for each in spread.affinity if each.seconds is not None}
        name = group.name
        return ServicePort(
            family=self._ruleset.family,
            source=self._ruleset.source,
            namespace=None if name is None else name.namespace,
            name=None if name is None else name.name,
            port_name=None if name is None else name.port,
            protocol=protocol,
            cluster_ip=None if entry is None else entry.frontend.address,
            port=None if entry is None else entry.frontend.port,
            state=ServiceState.UNKNOWN if entry is None else _STATES[entry.frontend.verdict],
            frontends=tuple(each.frontend for each in reached),
            balancers=tuple(map(_balancer, spreads)),
            endpoints=endpoints,
            affinity_seconds=min(seconds, default=None),
            internal_policy=self._internal_policy(entry),
            external_policy=_external_policy(reached),
            health_check_node_port=None if name is None else self._health.get((name.namespace, name.name, name.port)),
            masquerade=self._masquerade(entry, cluster, endpoints),
            chains=self._chains(group, reached),
            backend=self._ruleset.backend,
        )

    def _protocol(self, group: Entries) -> str:
        if group.entries:
            return group.entries[0].address.protocol
        if group.name is not None:
            spelled = group.name.spelled
            for protocol in _PROTOCOLS:
                if group.key in (chain_hash(spelled, protocol), chain_hash(spelled.rstrip(":") + ":", protocol)):
                    return protocol
        return "tcp"

    def _reach(self, entry: Entry, own: frozenset[str]) -> _Reached:
        target = self._plans[entry.jumps[0].shape].target_of(entry.jumps[0]) if entry.jumps else None
        route = None if target is None else self.routes.follow(target, entry.address.protocol)
        balancer = None if route is None else route.balancer
        verdict = self._verdict(entry, route)
        node = None if route is None else route.node_balancer
        frontend = Frontend(
            kind=entry.kind,
            address=entry.address.host,
            port=entry.address.port,
            rule=entry.rule,
            verdict=verdict,
            balancer=None if balancer is None or verdict in (Verdict.REJECT, Verdict.DROP) else balancer.chain,
            node_balancer=None if node is None else node.chain,
            source_ranges=() if route is None else _source_ranges(route, entry.address.host, own),
        )
        return _Reached(frontend, entry, route, balancer)

    def _verdict(self, entry: Entry, route: Route | None) -> Verdict:
        refused = None
        if entry.refusal is not None:
            refused = Verdict.REJECT if self._plans[entry.refusal.shape].target == "REJECT" else Verdict.DROP
        if route is None:
            return refused or Verdict.UNKNOWN
        spread = route.balancer
        if spread is not None and spread.shares:
            return Verdict.BALANCE
        if refused is not None:
            return refused
        if spread is not None and spread.dropped > 0.0:
            return Verdict.DROP
        if route.missing:
            return Verdict.UNKNOWN
        # In a fragment the filter table's refusal may be what is missing.
        return Verdict.UNKNOWN if self._ruleset.fragment else Verdict.UNMATCHED

    def _cluster_spread(self, group: Entries, reached: list[_Reached], protocol: str) -> Spread | None:
        for each in reached:
            if each.frontend.kind is FrontendKind.CLUSTER_IP:
                return each.balancer
        if not group.entries:
            for role in (ChainRole.SERVICE, ChainRole.LOCAL):
                spread = self.balancers.read(role.value + group.key, protocol)
                if spread.present:
                    return spread
        return None

    def _spreads(self, group: Entries, reached: list[_Reached], protocol: str) -> list[Spread]:
        """Every chain that spreads connections of the service port, the ClusterIP's first."""
        found: dict[str, Spread] = {}
        first = self._cluster_spread(group, reached, protocol)
        if first is not None:
            found[first.chain] = first
        for each in reached:
            for spread in (each.balancer, None if each.route is None else each.route.node_balancer):
                if spread is not None:
                    found.setdefault(spread.chain, spread)
        return list(found.values())

    def _endpoint_facts(self, cluster: Spread | None, spreads: list[Spread]) -> tuple[Endpoint, ...]:
        chances: dict[str, float] = {}
        destinations: dict[str, str | None] = {}
        local: set[str] = set()
        timeouts: dict[str, int | None] = {}
        for spread in spreads:
            counts = spread is cluster
            for share in spread.shares:
                chain = share.chain
                destinations.setdefault(chain, share.endpoint)
                chances[chain] = chances.get(chain, 0.0) + (share.probability if counts else 0.0)
            if _scope(spread) is Scope.LOCAL:
                local.update([share.chain for share in spread.shares])
            for affinity in spread.affinity:
                timeouts.setdefault(affinity.chain, affinity.seconds)
        unless_shown = None if self._ruleset.fragment else False
        endpoints = []
        for chain, destination in destinations.items():
            known = self.endpoints.read(chain)
            is_local = chain in local or None
            timeout = timeouts.get(chain)
            if known is None:
                # Its chain is not in the text, or it is no endpoint chain but DNATs by itself.
                address, port = (None, None) if destination is None else split_destination(destination)
                rule = self._rule_leading_to(chain, spreads)
                hairpin = None if destination is None else unless_shown
                endpoints.append(Endpoint(address, port, chain, chances[chain], is_local, hairpin, timeout, None, rule))
                continue
            rule = known.dnat
            packets = None if rule.counters is None else rule.counters.packets
            hairpin = known.hairpin or unless_shown
            endpoints.append(
                Endpoint(known.address, known.port, chain, chances[chain], is_local, hairpin, timeout, packets, rule)
            )
        return tuple(endpoints)

    def _rule_leading_to(self, chain: str, spreads: list[Spread]) -> Rule:
        rules = [rule for spread in spreads for rule in spread.balancing]
        return next(
            (rule for rule in rules if chain in (rule.chain, self._plans[rule.shape].target_of(rule))), rules[0]
        )

    def _internal_policy(self, cluster_ip: _Reached | None) -> TrafficPolicy | None:
        if cluster_ip is None:
            return None
        if cluster_ip.route is not None and cluster_ip.route.balancer is not None:
            if _scope(cluster_ip.route.balancer) is Scope.LOCAL:
                return TrafficPolicy.LOCAL
            return TrafficPolicy.CLUSTER if self._single_internal_policy else None
        if cluster_ip.entry.refusal_kind is CommentKind.NO_LOCAL_ENDPOINTS:
            return TrafficPolicy.LOCAL
        return None

    def _masquerade(
        self, cluster_ip: _Reached | None, cluster: Spread | None, endpoints: tuple[Endpoint, ...]
    ) -> Masquerade:
        states = {endpoint.hairpin for endpoint in endpoints}
        hairpin = None if not states or None in states else states == {True}
        always, off_cluster = False, None
        for rule in self._cluster_ip_marks(cluster_ip, cluster):
            plan = self._plans[rule.shape]
            if not plan.singles_out_sources:
                always = True
            elif off_cluster is None:
                off_cluster = _source_condition(rule, self._plans)
        return Masquerade(hairpin, always, off_cluster)

    def _cluster_ip_marks(self, cluster_ip: _Reached | None, cluster: Spread | None) -> Iterable[Rule]:
        """The rules that mark ClusterIP connections: beside the frontend up to 1.21, in its balancer from 1.22."""
        if cluster_ip is None:
            return
        yield from cluster_ip.entry.marks
        for rule in cluster.masquerade if cluster is not None else ():
            destination = self._plans[rule.shape].destination
            # 1.22 and 1.23 keep the external addresses' marks and the node port's here too.
            if destination is not None and destination.of(rule).partition("/")[0] == cluster_ip.frontend.address:
                yield rule

    def _chains(self, group: Entries, reached: list[_Reached]) -> ServiceChains:
        present: dict[ChainRole, str] = {}
        chains = {} if self._nat is None else self._nat.chains
        for role, prefix in _PREFIXES:
            name = prefix + group.key
            if name in chains:
                present[role] = name
        for each in reached:
            for rule in each.entry.jumps:
                target = self._plans[rule.shape].target_of(rule)
                role_found = None if target is None else role_of(target)
                if target is not None and role_found is not None:
                    present.setdefault(role_found, target)
        combined = present.get(ChainRole.LOCAL_EXTERNAL)
        return ServiceChains(
            service=present.get(ChainRole.SERVICE),
            local=present.get(ChainRole.LOCAL, combined),
            external=present.get(ChainRole.EXTERNAL, combined),
            firewall=present.get(ChainRole.FIREWALL),
        )


def _by_name(service: ServicePort) -> tuple[str, str, str, str, int, str]:
    return (
        service.namespace or "", service.name or "", service.port_name or "",
        service.cluster_ip or "", service.port or 0, service.protocol,
    )  # fmt: skip


def _scope(spread: Spread) -> Scope:
    local = role_of(spread.chain) in (ChainRole.LOCAL, ChainRole.LOCAL_EXTERNAL)
    return Scope.LOCAL if local else Scope.CLUSTER


def _balancer(spread: Spread) -> Balancer:
    # A share that is marked for dropping is not un-DNATed, but it reaches no endpoint either.
    unmatched = spread.unmatched + spread.dropped
    return Balancer(spread.chain, _scope(spread), spread.shares, unmatched, fallback_drop=spread.dropped > 0.0)


def _source_ranges(route: Route, address: str | None, own: frozenset[str]) -> tuple[str, ...]:
    """The ranges that may reach a load balancer. Rules that let the service's own addresses through are for the node,
    and no ranges.
    """
    named = tuple(each for each in route.ranges if each.removesuffix("/32").removesuffix("/128") not in own)
    if not route.open_range:
        return named
    everything = "::/0" if address is not None and ":" in address else "0.0.0.0/0"
    return (*named, everything)


def _source_condition(rule: Rule, plans: Plans) -> str:
    plan = plans[rule.shape]
    if plan.source is not None:
        value = plan.source.of(rule)
        return value if plan.source.negated else f"-s {value}"
    parts = [(plan.in_interface, "-i"), (plan.mark, "-m mark --mark"), (plan.source_type, "-m addrtype --src-type")]
    words = [
        f"{'! ' if operand.negated else ''}{name} {operand.of(rule)}" for operand, name in parts if operand is not None
    ]
    return " ".join(words)


def _external_policy(reached: list[_Reached]) -> TrafficPolicy | None:
    policy = None
    for each in reached:
        if each.frontend.kind is FrontendKind.CLUSTER_IP:
            continue
        if each.entry.refusal_kind is CommentKind.NO_LOCAL_ENDPOINTS or (each.route is not None and each.route.local):
            return TrafficPolicy.LOCAL
        # Up to 1.19 an external IP was balanced over all endpoints whatever the policy said.
        if (
            each.route is not None
            and each.route.balancer is not None
            and each.frontend.kind is not FrontendKind.EXTERNAL_IP
        ):
            policy = TrafficPolicy.CLUSTER
    return policy


def _health_check_ports(ruleset: Ruleset, plans: Plans) -> dict[tuple[str, str, str], int]:
    """Health check node ports by service port; kube-proxy 1.21 and later accept them in filter KUBE-NODEPORTS."""
    chain = ruleset.chain("filter", NODE_PORTS)
    ports: dict[tuple[str, str, str], int] = {}
    for rule in chain.rules if chain is not None else ():
        plan = plans[rule.shape]
        comment = plan.comment_of(rule)
        if comment is None or plan.destination_port is None:
            continue
        name, kind = read_comment(comment)
        port = plan.destination_port.of(rule)
        if name is not None and kind is CommentKind.HEALTH_CHECK and port.isdecimal():
            ports[name.namespace, name.name, name.port] = int(port)
    return ports
