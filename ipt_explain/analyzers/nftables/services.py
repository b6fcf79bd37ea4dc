"""Service ports of nftables mode, for kube-proxy 1.30 to 1.36."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.analyzers.names import Wanted
from ipt_explain.analyzers.nftables.balancers import BalancerReader, Spread
from ipt_explain.analyzers.nftables.frontends import MapEntries, MapEntry, cluster_ips, entry_chain, groups
from ipt_explain.analyzers.nftables.masquerading import marks_all, masquerade
from ipt_explain.analyzers.nftables.names import ChainKind, key_of
from ipt_explain.analyzers.nftables.source_ranges import FirewallReader
from ipt_explain.columns import Columns, column, constant
from ipt_explain.model import Backend, Family, nft
from ipt_explain.services.ports import (
    STATES,
    Balancer,
    Endpoint,
    Frontend,
    FrontendKind,
    FrontendVerdict,
    Scope,
    ServiceChains,
    ServicePort,
    ServiceState,
    Share,
    TrafficPolicy,
    by_name,
)
from ipt_explain.words import address_port

_BALANCING = (f"{ChainKind.SERVICE.value}-", f"{ChainKind.LOCAL.value}-")


class ServiceReader:
    """Reads the service ports of one of kube-proxy's tables."""

    def __init__(self, ruleset: nft.Ruleset, table: nft.Table, family: Family) -> None:
        self._ruleset = ruleset
        self._table = table
        self._family = family
        self._cluster_ips = cluster_ips(table)
        self._balancers = BalancerReader(table)
        self._firewalls = FirewallReader(table)
        self._marks_all = marks_all(table)

    def read(self, wanted: Wanted | None) -> list[ServicePort]:
        """The service ports by name. With `wanted`, only those whose name and addresses it accepts."""
        found = groups(self._table, self._ruleset.fragment)
        chosen = [group for group in found if wanted is None or wanted(group.name, group.hosts)]
        return sorted(map(self._service, chosen), key=by_name)

    def _service(self, group: MapEntries) -> ServicePort:
        name, protocol = group.name, group.protocol
        key = None if name is None else _key(group)
        chains = {kind: chain for kind in ChainKind if (chain := self._chain(kind, key)) is not None}
        own = frozenset(entry.place[0] for entry in group.entries if entry.place[0] is not None)
        frontends = tuple(
            sorted((self._frontend(entry, own) for entry in group.entries), key=lambda each: _ORDER[each.kind])
        )
        first = next((each for each in frontends if each.kind is FrontendKind.CLUSTER_IP), None)
        names = [name for each in frontends for name in (each.balancer, each.node_balancer)]
        alone = None if frontends else chains.get(ChainKind.SERVICE)
        spreads = self._spreads(names if frontends else [alone], protocol)
        counted = None if first is None or first.verdict is not FrontendVerdict.BALANCE else first.balancer
        endpoints = self._endpoints(alone or counted, spreads)
        local_chain = chains.get(ChainKind.LOCAL)
        seconds = set(column(endpoints, "affinity_timeout")) - {None}
        return ServicePort(
            family=self._family,
            source=self._ruleset.source,
            namespace=None if name is None else name.namespace,
            name=None if name is None else name.name,
            port_name=None if name is None else name.port,
            protocol=protocol,
            cluster_ip=None if first is None else first.address,
            port=None if first is None else first.port,
            state=ServiceState.UNKNOWN if first is None else STATES[first.verdict],
            frontends=frontends,
            balancers=tuple(_balancer(spread, local_chain) for spread in spreads.values()),
            endpoints=endpoints,
            affinity_seconds=min(seconds, default=None),
            internal_policy=_internal_policy(first, local_chain),
            external_policy=_external_policy(frontends),
            health_check_node_port=None,
            masquerade=masquerade(self._table, first, endpoints, self._marks_all),
            chains=ServiceChains(
                chains.get(ChainKind.SERVICE), local_chain, chains.get(ChainKind.EXTERNAL),
                chains.get(ChainKind.FIREWALL),
            ),
            backend=Backend.NFTABLES,
        )  # fmt: skip

    def _chain(self, kind: ChainKind, key: str | None) -> str | None:
        """The chain of this kind, unless kube-proxy has emptied it in order to delete it later."""
        name = f"{kind.value}-{key}"
        chain = None if key is None else self._table.chains.get(name)
        return name if chain is not None and chain.rules else None

    def _frontend(self, entry: MapEntry, own: frozenset[str]) -> Frontend:
        address, protocol, port = entry.place
        ranges = self._firewalls.ranges(entry.place, own)
        kind = self._kind(entry, entry_chain(entry) is not None and ranges is not None)
        balancer, node_balancer = self._leads_to(entry)
        verdict = self._verdict(entry, balancer, protocol)
        if verdict in (FrontendVerdict.DROP, FrontendVerdict.REJECT):
            balancer = None
        return Frontend(kind, address, port, entry.evidence, verdict, balancer, node_balancer, ranges or ())

    def _kind(self, entry: MapEntry, restricted: bool) -> FrontendKind:
        address = entry.place[0]
        if address is None:
            return FrontendKind.NODE_PORT
        found = entry_chain(entry)
        if address in self._cluster_ips if found is None else found.kind in (ChainKind.SERVICE, ChainKind.LOCAL):
            return FrontendKind.CLUSTER_IP
        return FrontendKind.LOAD_BALANCER if restricted else FrontendKind.EXTERNAL

    def _leads_to(self, entry: MapEntry) -> tuple[str | None, str | None]:
        """The balancers for packets from outside the node, and for those from the node if it is another one."""
        found = entry_chain(entry)
        if found is None or entry.chain is None or found.kind is not ChainKind.EXTERNAL:
            return entry.chain, None
        service = outside = None
        for target, conditional in self._gotos(entry.chain):
            if conditional:
                service = service or target
            else:
                outside = target
                break
        return outside, service if service != outside else None

    def _gotos(self, name: str) -> Iterator[tuple[str, bool]]:
        """The balancers that a chain leads to, and whether only some packets go there."""
        for rule in self._table.rules(name):
            for verdict in rule.of(nft.Verdict):
                if verdict.chain is not None and verdict.chain.startswith(_BALANCING):
                    yield verdict.chain, bool(rule.of(nft.Match))

    def _verdict(self, entry: MapEntry, balancer: str | None, protocol: str) -> FrontendVerdict:
        spread = None if balancer is None else self._balancers.read(balancer, protocol)
        if entry.refusal is not None and (spread is None or not spread.targets):
            return entry.refusal
        missing = balancer is not None or (entry.chain is not None and entry.chain not in self._table.chains)
        if spread is None and missing and self._ruleset.fragment:
            return FrontendVerdict.UNKNOWN
        return FrontendVerdict.BALANCE if spread is not None and spread.targets else FrontendVerdict.UNMATCHED

    def _spreads(self, names: Iterable[str | None], protocol: str) -> dict[str, Spread]:
        """How the balancers of these names spread connections."""
        found: dict[str, Spread] = {}
        for name in names:
            spread = None if name is None or name in found else self._balancers.read(name, protocol)
            if spread is not None:
                found[spread.chain] = spread
        return found

    def _endpoints(self, counted: str | None, spreads: dict[str, Spread]) -> Sequence[Endpoint]:
        """Every endpoint of the balancers, those of `counted` first. The probabilities are those of this one, which the
        ClusterIP leads to."""
        if len(spreads) == 1:
            (only,) = spreads.values()
            if isinstance(only.targets, Columns):
                return _all_of(only, only.chain == counted)
        local = {
            (target.address, target.port)
            for spread in spreads.values()
            if spread.chain.startswith(f"{ChainKind.LOCAL.value}-")
            for target in spread.targets
        }
        found: dict[tuple[object, ...], Endpoint] = {}
        for spread in sorted(spreads.values(), key=lambda each: each.chain != counted):
            for target in spread.targets:
                key = (target.address, target.port) if target.address is not None else (target.chain,)
                share = float(target.share) if spread.chain == counted else 0.0
                known = found.get(key)
                if known is not None:
                    share += known.probability or 0.0
                is_local = True if (target.address, target.port) in local else None
                found[key] = Endpoint(
                    target.address, target.port, target.chain, share, is_local, target.hairpin,
                    target.affinity_seconds, None, target.evidence, target.hairpin,
                )  # fmt: skip
        return tuple(found.values())


_ORDER = {kind: number for number, kind in enumerate(FrontendKind)}


def _key(group: MapEntries) -> str:
    """The key of a service port's chains, from the name of one if a map leads there."""
    name = group.name
    assert name is not None
    for entry in group.entries:
        known = entry_chain(entry)
        if known is None or known.kind is ChainKind.ENDPOINT or entry.chain is None:
            continue
        if (known.port, known.protocol) == (name, group.protocol):
            return entry.chain.partition("-")[2]
    return key_of(name.namespace, name.name, group.protocol, name.port)


def _internal_policy(first: Frontend | None, local_chain: str | None) -> TrafficPolicy | None:
    if first is None:
        return None
    if first.verdict is FrontendVerdict.DROP:
        return TrafficPolicy.LOCAL
    if first.balancer is None:
        return None
    return TrafficPolicy.LOCAL if first.balancer == local_chain else TrafficPolicy.CLUSTER


def _external_policy(frontends: Iterable[Frontend]) -> TrafficPolicy | None:
    outside = [each for each in frontends if each.kind is not FrontendKind.CLUSTER_IP]
    if any(each.verdict is FrontendVerdict.DROP for each in outside):
        return TrafficPolicy.LOCAL
    for each in outside:
        if each.balancer is not None:
            local = each.balancer.startswith(f"{ChainKind.LOCAL.value}-")
            return TrafficPolicy.LOCAL if local else TrafficPolicy.CLUSTER
    return None


def _all_of(spread: Spread, counted: bool) -> Sequence[Endpoint]:
    """The endpoints of a Service that has no others."""
    assert isinstance(spread.targets, Columns)
    endpoints, count = spread.targets.of_kind(Endpoint), len(spread.targets)
    if spread.chain.startswith(f"{ChainKind.LOCAL.value}-"):
        endpoints = endpoints.with_columns(local=constant(True, count))
    return endpoints if counted else endpoints.with_columns(probability=constant(0.0, count))


def _balancer(spread: Spread, local_chain: str | None) -> Balancer:
    scope = Scope.LOCAL if spread.chain == local_chain else Scope.CLUSTER
    if isinstance(spread.targets, Columns):
        return Balancer(spread.chain, scope, spread.targets.of_kind(Share), float(spread.unmatched))
    shares = tuple(
        Share(
            None if target.address is None else address_port(target.address, target.port), target.chain,
            float(target.share),
        )
        for target in spread.targets
    )  # fmt: skip
    return Balancer(spread.chain, scope, shares, float(spread.unmatched))
