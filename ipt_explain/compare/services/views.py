"""What a dump does with each service port, in a form that can be compared.

Views lack order, counters, comments, chain names and hashes; endpoints are sorted; what the text does not show is None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

from ipt_explain.analyzers.names import MARK_MASQ
from ipt_explain.collector import collector_paused
from ipt_explain.columns import column, columns, nothing
from ipt_explain.compare.canonical import RuleTexts
from ipt_explain.compare.services.fabric import Fabric, fabrics
from ipt_explain.compare.services.losses import LossCause, Losses, Lossy, losses_of, without_comment
from ipt_explain.compare.services.source_ranges import networks_of
from ipt_explain.model import Backend, Dump, Family, Form, Shape
from ipt_explain.records import NamedTuple, Record, field
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.fates import Loss
from ipt_explain.services.health import keeps_clients
from ipt_explain.services.ports import (
    Balancer,
    Endpoint,
    FrontendKind,
    FrontendVerdict,
    ProxyMode,
    Scope,
    ServicePort,
    TrafficPolicy,
)
from ipt_explain.words import address_port

Address = tuple[str, int]
"""A frontend's address and port; a node port's address is ""."""


class Pool(NamedTuple):
    """Endpoints that share connections: their names (`ip:port`), sorted, and their chances. The chances and `unmatched`
    sum to 1; all are None if some depend on rules that the text lacks. Where load or the client decides, `scheduler` is
    the IPVS scheduler, and chances are even."""

    scope: Scope
    names: tuple[str, ...]
    chances: tuple[float | None, ...]
    unmatched: float | None
    scheduler: str | None = None

    @property
    def endpoints(self) -> frozenset[str]:
        """Its endpoints, as `ip:port`."""
        return frozenset(self.names)


class FrontendView(NamedTuple):
    """What happens to connections to one address. `pool` is for clients outside the node, `node_pool` for pods and the
    node itself if it differs."""

    kind: FrontendKind
    verdict: FrontendVerdict
    pool: Pool | None
    node_pool: Pool | None
    source_ranges: tuple[str, ...]


class AffinityView(NamedTuple):
    """How long a client keeps its endpoint. Only after changes by hand does `seconds` have more than one number, or
    `without` any endpoint."""

    seconds: tuple[int, ...]
    without: tuple[str, ...] = ()


class Kept(NamedTuple):
    """Why connections that are marked for masquerading keep their source all the same (`nat POSTROUTING: no rule here
    jumps to KUBE-POSTROUTING`), and whether clients of a node port do, too."""

    why: str
    clients: bool


class MasqueradeView(NamedTuple):
    """Whose source is rewritten. `hairpin` is None if no endpoint shows it; `without_hairpin` are endpoints that cannot
    reach themselves through the service. `external` are the conditions for connections to external addresses, None if
    the service has no chain for them (KUBE-EXT, KUBE-XLB). `kept` is None if marks have an effect, as far as known."""

    hairpin: bool | None
    without_hairpin: tuple[str, ...]
    all: bool | None
    off_cluster: str | None
    external: tuple[str, ...] | None = None
    kept: Kept | None = None


class ServiceView(Record):
    """One service port: everything in which two dumps may differ."""

    label: str
    named: bool
    family: Family
    protocol: str
    cluster_ip: str | None
    port: int | None
    frontends: Mapping[Address, FrontendView]
    pools: tuple[Pool, ...]
    affinity: AffinityView | None
    internal_policy: TrafficPolicy | None
    external_policy: TrafficPolicy | None
    health_check_node_port: int | None
    masquerade: MasqueradeView
    fabric: Fabric = ()
    losses: Losses = field(default_factory=dict)
    mode: ProxyMode = ProxyMode.IPTABLES

    def endpoints(self) -> frozenset[str]:
        """The endpoints that any frontend can reach."""
        return frozenset(chain.from_iterable([pool.names for pool in self.pools]))

    def pool(self, scope: Scope) -> Pool | None:
        """The pool of a scope."""
        for pool in self.pools:
            if pool.scope is scope:
                return pool
        return None


_MODES = {Backend.NFTABLES: ProxyMode.NFTABLES, Backend.IPVS: ProxyMode.IPVS}

ServiceKey = tuple[Family, str, str, int]
"""Family, label, protocol, and a number that distinguishes repetitions (a service in both backends)."""


def service_views(explanation: Explanation, dumps: Sequence[Dump] = ()) -> dict[ServiceKey, ServiceView]:
    """The views of all service ports in an explanation of `dumps`, in its order."""
    reader = _ViewReader(dumps)
    views: dict[ServiceKey, ServiceView] = {}
    numbers: Counter[tuple[Family, str, str]] = Counter()
    with collector_paused():
        for service, fabric in zip(explanation.services, fabrics(explanation, dumps)):
            view = reader.view(service, fabric)
            named = view.family, view.label, view.protocol
            views[(*named, numbers[named])] = view
            numbers[named] += 1
    return views


class _ViewReader:
    def __init__(self, dumps: Sequence[Dump]) -> None:
        self._records: dict[Shape, bool] = {}
        self._texts = RuleTexts()
        # What other texts leave open may be in what they do not show.
        self._all_saved = all(ruleset.form is Form.SAVE for dump in dumps for ruleset in dump.rulesets)
        self._nat = {
            (ruleset.source, ruleset.family, ruleset.backend): ruleset.tables["nat"]
            for dump in dumps
            for ruleset in dump.rulesets
            if "nat" in ruleset.tables
        }

    def view(self, service: ServicePort, fabric: Fabric) -> ServiceView:
        pools = {balancer.chain: _pool(balancer) for balancer in service.balancers}
        frontends = {
            (frontend.address or "", frontend.port): FrontendView(
                frontend.kind,
                frontend.verdict,
                pools.get(frontend.balancer or ""),
                pools.get(frontend.node_balancer or ""),
                networks_of(frontend.source_ranges),
            )
            for frontend in service.frontends
        }
        return ServiceView(
            label=_label(service),
            named=service.name is not None,
            family=service.family,
            protocol=service.protocol,
            cluster_ip=service.cluster_ip,
            port=service.port,
            frontends=frontends,
            pools=tuple(pools.values()),
            affinity=self._affinity(service),
            internal_policy=service.internal_policy,
            external_policy=service.external_policy,
            health_check_node_port=service.health_check_node_port,
            masquerade=self._masquerade(service),
            mode=ProxyMode.IPTABLES if service.backend is None else _MODES.get(service.backend, ProxyMode.IPTABLES),
            fabric=fabric,
            losses=_losses(service, self._all_saved),
        )

    def _affinity(self, service: ServicePort) -> AffinityView | None:
        if service.affinity_seconds is None:
            return None
        seconds = {endpoint.affinity_timeout for endpoint in service.endpoints}
        without = [
            _name(endpoint)
            for endpoint in service.endpoints
            if endpoint.affinity_timeout is None or not self._is_recorded(endpoint)
        ]
        return AffinityView(tuple(sorted(each for each in seconds if each is not None)), tuple(sorted(without)))

    def _is_recorded(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint's DNAT rule records the client, or the text lacks the rule."""
        if endpoint.address is None or not isinstance(endpoint.evidence, Evidence):
            return True
        shape = endpoint.evidence.shape
        recorded = self._records.get(shape)
        if recorded is None:
            recorded = self._records[shape] = shape.match_option("recent", "--set") is not None
        return recorded

    def _masquerade(self, service: ServicePort) -> MasqueradeView:
        facts = service.masquerade
        # What POSTROUTING does with marked packets is `kept`; here only marking counts.
        marked = set(column(service.endpoints, "marked"))
        hairpin = None if not marked or None in marked else marked == {True}
        unmarked: tuple[str, ...] = ()
        if hairpin is False:
            unmarked = tuple(sorted(_name(endpoint) for endpoint in service.endpoints if endpoint.marked is False))
        external = None if service.chains.external is None else self._marking(service, service.chains.external)
        return MasqueradeView(hairpin, unmarked, facts.all, facts.off_cluster, external, _kept(service))

    def _marking(self, service: ServicePort, name: str) -> tuple[str, ...] | None:
        """The conditions under which a chain marks connections for masquerading."""
        nat = self._nat.get((service.source, service.family, service.backend))
        chain = None if nat is None else nat.chains.get(name)
        if chain is None:
            return None
        jump = f" -j {MARK_MASQ}"
        return tuple(
            self._texts.body(rule).removesuffix(jump).strip() or "always"
            for rule in chain.rules
            if rule.target == MARK_MASQ
        )


_TABLES = {Family.IPV4: "ip kube-proxy", Family.IPV6: "ip6 kube-proxy"}


def _losses(service: ServicePort, with_doubts: bool) -> Losses:
    """Losses by other rules; pools show what the Service's own balancers leave untranslated."""
    losing = [frontend for frontend in service.frontends if frontend.fates and frontend.fates.may_lose_any]
    if not losing:
        return {}
    table = "nat" if service.backend is not Backend.NFTABLES else _TABLES[service.family]
    own = {f"{table} {balancer.chain}" for balancer in service.balancers}
    found: dict[LossCause, set[Lossy]] = {}
    for frontend in losing:
        for cause, lost in losses_of(frontend, with_doubts):
            if cause.how != Loss.UNTRANSLATED.value or cause.place not in own:
                found.setdefault(cause, set()).add(lost)
    return {cause: frozenset(lost) for cause, lost in found.items()}


def _kept(service: ServicePort) -> Kept | None:
    kept = service.masquerade.kept
    if kept is None:
        return None
    rule = f": {without_comment(kept.decider.text)}" if kept.decider.is_rule else ""
    return Kept(f"{kept.decider.place}{rule}: {kept.why}", keeps_clients(service))


def _label(service: ServicePort) -> str:
    """The service port's label, or its first frontend if it has neither name nor chain nor ClusterIP."""
    chains = service.chains
    known = service.name or service.cluster_ip or chains.service or chains.local or chains.external
    if known or not service.frontends:
        return service.label
    frontend = service.frontends[0]
    return f"{address_port(frontend.address or 'NodePort', frontend.port)}/{service.protocol}"


def _pool(balancer: Balancer) -> Pool:
    endpoints, chances, schedulers = columns(balancer.shares, ("endpoint", "probability", "scheduler"))
    if not all(endpoints):
        endpoints = [known or chain for known, chain in zip(endpoints, column(balancer.shares, "chain"))]
    names = tuple(sorted(set(endpoints)))
    if balancer.unmatched is None or None in chances:
        return Pool(balancer.scope, names, tuple(nothing(len(names))), None)
    if names != tuple(endpoints):
        chance_of = dict.fromkeys(names, 0.0)
        for endpoint, chance in sorted(zip(endpoints, chances)):
            chance_of[endpoint] += chance
        chances = list(chance_of.values())
    return Pool(balancer.scope, names, tuple(chances), balancer.unmatched, next(filter(None, schedulers), None))


def _name(endpoint: Endpoint) -> str:
    if endpoint.address is None:
        return endpoint.chain
    return address_port(endpoint.address, endpoint.port)
