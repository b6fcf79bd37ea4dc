"""Service ports, put together from frontends, balancers, endpoints, affinity and masquerading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipt_explain.analyzers.iptables.balancing import BalancerReader, Spread
from ipt_explain.analyzers.iptables.endpoints import EndpointForms
from ipt_explain.analyzers.iptables.frontends import FrontendFollower, FrontendGroup, FrontendReader, FrontendRules
from ipt_explain.analyzers.iptables.masquerading import masquerade
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.iptables.policies import external_policy, health_check_ports, internal_policy
from ipt_explain.analyzers.iptables.routing import RouteReader
from ipt_explain.analyzers.iptables.service_endpoints import endpoints_of
from ipt_explain.analyzers.names import (
    BALANCING_ROLES,
    PROTOCOLS,
    SERVICES,
    ChainRole,
    ServicePortName,
    Wanted,
    chain_hash,
    hash_of,
    read_comment,
    role_of,
    roles_of,
)
from ipt_explain.model import Chain, Extent, Ruleset
from ipt_explain.netfilter.header import usual_name
from ipt_explain.progress import each_of
from ipt_explain.services.evidence import Evidence, rules_of
from ipt_explain.services.ports import STATES, FrontendKind, Scope, ServiceChains, ServicePort, ServiceState, by_name
from ipt_explain.words import counted

_SERVICE, _LOCAL, _EXTERNAL = ChainRole.SERVICE.value, ChainRole.LOCAL.value, ChainRole.EXTERNAL.value
_FIREWALL, _LOCAL_EXTERNAL = ChainRole.FIREWALL.value, ChainRole.LOCAL_EXTERNAL.value


class ServiceReader:
    """Reads the service ports of one ruleset.

    `single_internal_policy`: in the release that wrote the rules, a ClusterIP without a KUBE-SVL chain has internal
    policy Cluster. From 1.21 to 1.23 it may have policy Local all the same, so the policy is unknown.
    """

    def __init__(self, ruleset: Ruleset, plans: Plans, single_internal_policy: bool) -> None:
        self._ruleset = ruleset
        self._plans = plans
        self._single_internal_policy = single_internal_policy
        self._nat = ruleset.tables.get("nat")
        self._named = {} if self._nat is None else self._nat.chains
        self._prefixes = [role.value for role in roles_of(self._named) if role is not ChainRole.ENDPOINT]
        self._forms = EndpointForms(plans, ruleset.fragment)
        self._balancers = BalancerReader(self._nat, plans, self._forms)
        self._fragment = ruleset.fragment
        self._follower = FrontendFollower(RouteReader(self._nat, plans, self._balancers), self._fragment)
        self._health = health_check_ports(ruleset, plans)
        self.unread: tuple[Evidence, ...] = ()
        self._shows_cluster_ips = not self._fragment and ruleset.extent("nat", SERVICES) is Extent.WHOLE

    def read(self, wanted: Wanted | None = None) -> list[ServicePort]:
        """The service ports by name. With `wanted`, only those whose name and addresses it accepts."""
        reader = FrontendReader(self._ruleset, self._plans)
        groups = reader.read()
        self.unread = tuple(reader.unread)
        if self._fragment:
            groups += self._without_frontend({group.key for group in groups})
        named = groups if wanted is None else [group for group in groups if wanted(group.name, group.hosts)]
        self._balancers.read_ahead([front.target or "" for group in named for front in group.fronts])
        stage = f"finding endpoints of {counted(len(named), 'service port')}"
        services = [self._service(group) for group in each_of(named, stage)]
        services.sort(key=by_name)
        return services

    def _without_frontend(self, known: set[str]) -> Iterable[FrontendGroup]:
        """Services of chains in a fragment that does not show the rules leading to them."""
        for chain in self._named.values():
            key = hash_of(chain.name) if role_of(chain.name) not in (None, ChainRole.ENDPOINT) else None
            if key is not None and key not in known:
                known.add(key)
                yield FrontendGroup(key, self._name_within(chain), [])

    def _name_within(self, chain: Chain) -> ServicePortName | None:
        """A Service's name, from the comments in its own chain or in those of its endpoints."""
        targets = map(chain.target_of, range(len(chain.layout)))
        behind = (self._named[target] for target in targets if target is not None and target in self._named)
        for member in (chain, *behind):
            for rule in rules_of(member):
                comment = self._plans[rule.shape].comment_of(rule)
                name = None if comment is None else read_comment(comment)[0]
                if name is not None:
                    return name
        return None

    def _service(self, group: FrontendGroup) -> ServicePort:
        protocol = self._protocol(group)
        frontends = [self._follower.follow(front, group) for front in group.fronts]
        kinds = [front.kind for front in group.fronts]
        first = kinds.index(FrontendKind.CLUSTER_IP) if FrontendKind.CLUSTER_IP in kinds else None
        front = None if first is None else group.fronts[first]
        cluster = self._unreached(group, protocol) if front is None else front.route.spread
        spreads = _spreads(cluster, front, group.fronts)
        cluster = None if cluster is None else spreads[0]
        # Only the ClusterIP's own rule shows whether it leads to endpoints on this node alone.
        known = group.fronts or (cluster is not None and cluster.balancer.scope is Scope.CLUSTER)
        endpoints = endpoints_of(spreads, cluster if known else None, self._fragment)
        affinity = [rule.seconds for spread in spreads for rule in spread.affinity if rule.seconds is not None]
        named = group.name
        known_as = (None, None, None) if named is None else (named.namespace, named.name, named.port)
        namespace, name, port_name = known_as
        return ServicePort(
            family=self._ruleset.family,
            source=self._ruleset.source,
            namespace=namespace,
            name=name,
            port_name=port_name,
            protocol=protocol,
            cluster_ip=None if front is None else front.host,
            port=None if front is None else front.port,
            state=ServiceState.UNKNOWN if first is None else STATES[frontends[first].verdict],
            frontends=tuple(frontends),
            balancers=tuple([spread.balancer for spread in spreads]),
            endpoints=endpoints,
            affinity_seconds=min(affinity) if affinity else None,
            internal_policy=internal_policy(front, self._single_internal_policy),
            external_policy=external_policy(group.fronts),
            health_check_node_port=self._health.get(known_as),
            masquerade=masquerade(front, cluster, endpoints, self._plans, self._shows_cluster_ips),
            chains=self._chains(group),
            backend=self._ruleset.backend,
        )

    def _protocol(self, group: FrontendGroup) -> str:
        if group.fronts:
            return group.fronts[0].protocol
        if group.name is not None:
            spelled = group.name.spelled
            for protocol in PROTOCOLS:
                if group.key in (chain_hash(spelled, protocol), chain_hash(spelled.rstrip(":") + ":", protocol)):
                    return protocol
        return self._protocol_of_endpoints(group) or ""

    def _protocol_of_endpoints(self, group: FrontendGroup) -> str | None:
        """The protocol that the endpoints' own rules match."""
        chains = self._named
        balancers = (chains.get(role.value + group.key) for role in (ChainRole.SERVICE, ChainRole.LOCAL))
        for chain in filter(None, balancers):
            for number in range(len(chain.layout)):
                endpoint = chains.get(chain.target_of(number) or "")
                form = None if endpoint is None else self._forms[endpoint.layout]
                if endpoint is not None and form is not None and form.protocol is not None:
                    return usual_name(endpoint.at(form.protocol))
        return None

    def _unreached(self, group: FrontendGroup, protocol: str) -> Spread | None:
        """The balancer of a Service in a fragment that does not show its frontends."""
        if not group.fronts:
            for role in BALANCING_ROLES:
                spread = self._balancers.read(role.value + group.key, protocol or None)
                if spread.chain is not None:
                    return spread
        return None

    def _chains(self, group: FrontendGroup) -> ServiceChains:
        key, named = group.key, self._named
        present = {prefix: name for prefix in self._prefixes if (name := prefix + key) in named}
        found = present.values()
        for front in group.fronts:
            for target in (front.target, *front.others):
                role = None if target is None or target in found else role_of(target)
                if target is not None and role is not None:
                    present.setdefault(role.value, target)
        combined = present.get(_LOCAL_EXTERNAL)
        return ServiceChains(
            present.get(_SERVICE),
            present.get(_LOCAL, combined),
            present.get(_EXTERNAL, combined),
            present.get(_FIREWALL),
        )


def _spreads(
    cluster: Spread | None, cluster_ip: FrontendRules | None, fronts: Sequence[FrontendRules]
) -> Sequence[Spread]:
    """All balancers of the service port, the ClusterIP's first. Endpoints without a port have the ClusterIP's."""
    found = {} if cluster is None else {cluster.balancer.chain: cluster}
    for front in fronts:
        for spread in (front.route.spread, front.route.node_spread):
            if spread is not None:
                found.setdefault(spread.balancer.chain, spread)
    if not fronts:
        return list(found.values())
    port = (cluster_ip or fronts[0]).port
    return [spread.keeping(port) for spread in found.values()]
