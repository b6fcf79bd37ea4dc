"""What a correct kube-proxy of a release does on one node, for one family, given the API objects.

Facts: pkg/proxy/topology.go (CategorizeEndpoints), pkg/proxy/servicechangetracker.go and the iptables proxiers of
1.14 to 1.33, checked against captured dumps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipt_explain.compare.objects.model import ApiEndpoint, ApiObjects, ApiPort, ApiService
from ipt_explain.model import Family
from ipt_explain.netfilter.header import family_of
from ipt_explain.records import Record, replace
from ipt_explain.services.ports import FrontendVerdict

NEWEST = 99
IP_MODE_SINCE = 29
"""Load balancers' ipMode is a field of 1.29."""


class Release(Record):
    """The behaviour of kube-proxy 1.`minor` where releases differ."""

    minor: int

    @property
    def knows_internal_policy(self) -> bool:
        """internalTrafficPolicy came with 1.21 (gate), and was on from 1.22."""
        return self.minor >= 22

    @property
    def external_ips_heed_policy(self) -> bool:
        """Up to 1.19, external IPs were balanced over all endpoints regardless of externalTrafficPolicy."""
        return self.minor >= 20

    @property
    def one_policy_for_all(self) -> bool:
        """1.22 and 1.23 had one set of endpoints per service: Local in either policy reduced it for all frontends."""
        return 22 <= self.minor <= 23

    @property
    def lets_unready_through(self) -> bool:
        """1.22 wrote neither REJECT nor endpoints if all endpoints are unready."""
        return self.minor == 22

    @property
    def serves_terminating(self) -> bool:
        """Terminating endpoints that still serve are used if none is ready (gate on from 1.26)."""
        return self.minor >= 26

    @property
    def heeds_hints(self) -> bool:
        """Topology hints (gate on from 1.24)."""
        return self.minor >= 24

    @property
    def hints_need_annotation(self) -> bool:
        """Up to 1.30 hints counted only for services with an annotation."""
        return self.minor <= 30

    @property
    def heeds_node_hints(self) -> bool:
        """Hints for single nodes (trafficDistribution PreferSameNode, gate on from 1.34)."""
        return self.minor >= 34

    @property
    def skips_proxied_addresses(self) -> bool:
        """Load balancers of ipMode Proxy (field of 1.29)."""
        return self.minor >= IP_MODE_SINCE

    @property
    def health_checks_in_filter(self) -> bool:
        """From 1.21 on, filter KUBE-NODEPORTS accepts health check node ports."""
        return self.minor >= 21

    @property
    def refuses_external_as_none(self) -> bool:
        """Up to 1.23, a service with internal policy Local and no local endpoints had no endpoints at all: REJECT."""
        return self.minor <= 23


BREAKS = (14, 20, 21, 22, 23, 24, 25, 26, IP_MODE_SINCE, 31, 34)
"""The first minor versions of releases that differ."""


class Intent(Record):
    """What the rules for one service port should do on the node.

    `cluster` and `local` are the endpoints that the chains of the two scopes should hold, None if the node is unknown;
    `uses_cluster` and `uses_local` say whether such chains should exist. `everywhere` are the endpoints regardless of
    policies. The verdicts are those of connections to the ClusterIP, and from outside.
    """

    service: ApiService
    port: ApiPort
    family: Family
    cluster_ip: str
    external_ips: tuple[str, ...]
    load_balancers: tuple[str, ...]
    source_ranges: tuple[str, ...]
    health_check_node_port: int | None
    internal_local: bool
    external_local: bool
    affinity_seconds: int | None
    cluster: frozenset[str] | None
    local: frozenset[str] | None
    everywhere: frozenset[str]
    uses_cluster: bool
    uses_local: bool
    cluster_ip_verdict: FrontendVerdict
    external_verdict: FrontendVerdict

    @property
    def label(self) -> str:
        """`namespace/name:port`."""
        suffix = f":{self.port.name}" if self.port.name else ""
        return f"{self.service.namespace}/{self.service.name}{suffix}"

    @property
    def reachable_from_outside(self) -> bool:
        """Whether it has a frontend besides its ClusterIP."""
        return bool(self.port.node_port or self.external_ips or self.load_balancers) or not self.service.has_status


def without_local(intent: Intent) -> Intent:
    """The intent without what depends on the node's own endpoints, which digests leave out."""
    unknown = FrontendVerdict.UNKNOWN
    return replace(
        intent,
        local=None,
        cluster_ip_verdict=unknown if intent.internal_local else intent.cluster_ip_verdict,
        external_verdict=unknown if intent.external_local else intent.external_verdict,
    )


def intents(
    objects: ApiObjects, family: Family, node: str | None, zone: str | None, release: Release
) -> Iterator[Intent]:
    """The intents of all service ports that have a ClusterIP of the family. If `node` is None, so is what depends on
    it."""
    for service in objects.services:
        cluster_ip = next((each for each in service.cluster_ips if family_of(each) is family), None)
        if cluster_ip is None:
            continue
        for port in service.ports:
            key = (service.namespace, service.name, family, port.name, port.protocol)
            endpoints = objects.endpoints.get(key, ())
            yield _Planner(service, port, family, cluster_ip, endpoints, node, zone, release).intent()


class _Planner:
    def __init__(
        self,
        service: ApiService,
        port: ApiPort,
        family: Family,
        cluster_ip: str,
        endpoints: tuple[ApiEndpoint, ...],
        node: str | None,
        zone: str | None,
        release: Release,
    ) -> None:
        self.service = service
        self.port = port
        self.family = family
        self.cluster_ip = cluster_ip
        self.endpoints = endpoints
        self.node = node
        self.zone = zone
        self.release = release

    def intent(self) -> Intent:
        """The intent of this service port."""
        service, release = self.service, self.release
        load_balancers = tuple(
            each.address
            for each in service.load_balancers
            if family_of(each.address) is self.family and not (each.proxied and release.skips_proxied_addresses)
        )
        external_ips = _of_family(service.external_ips, self.family)
        outside = bool(self.port.node_port or external_ips or load_balancers)
        internal_local = service.internal_local and release.knows_internal_policy
        external_local = service.external_local and self._heeds_external_policy(external_ips, load_balancers)
        everywhere, local = self._cluster(), self._local()
        if release.one_policy_for_all and external_local:
            internal_local = False
        restricted = release.one_policy_for_all and internal_local
        usable = bool(everywhere or self._usable(self.endpoints))
        return Intent(
            service=service,
            port=self.port,
            family=self.family,
            cluster_ip=self.cluster_ip,
            external_ips=external_ips,
            load_balancers=load_balancers,
            source_ranges=_of_family(service.source_ranges, self.family) if load_balancers else (),
            # Every load balancer with external policy Local has one, even before it has an address or node port.
            health_check_node_port=(
                service.health_check_node_port if service.external_local and release.health_checks_in_filter else None
            ),
            internal_local=internal_local,
            external_local=external_local,
            affinity_seconds=service.affinity_seconds,
            cluster=local if restricted else everywhere,
            local=local,
            everywhere=everywhere,
            uses_cluster=outside or not internal_local or restricted,
            uses_local=external_local or (internal_local and not restricted),
            cluster_ip_verdict=self._verdict(local if internal_local else everywhere, usable, internal_local),
            external_verdict=self._external_verdict(everywhere, local, usable, external_local, restricted),
        )

    def _heeds_external_policy(self, external_ips: tuple[str, ...], load_balancers: tuple[str, ...]) -> bool:
        """Whether any frontend follows the external policy; external IPs of a ClusterIP Service do from 1.26 on."""
        if self.port.node_port or load_balancers or not self.service.has_status:
            return True
        release = self.release
        return (
            bool(external_ips)
            and release.external_ips_heed_policy
            and (self.service.has_external_type or release.minor >= 26)
        )

    def _usable(self, endpoints: Iterable[ApiEndpoint]) -> frozenset[str]:
        """Ready endpoints, or if there are none, those that serve while they terminate."""
        members = list(endpoints)
        ready = frozenset(each.endpoint for each in members if each.ready)
        if ready or not self.release.serves_terminating:
            return ready
        return frozenset(each.endpoint for each in members if each.serving and each.terminating)

    def _cluster(self) -> frozenset[str]:
        hinted = self._hinted()
        return self._usable(self.endpoints) if hinted is None else hinted

    def _hinted(self) -> frozenset[str] | None:
        """The ready endpoints with hints for this node or its zone; None if hints are ignored or incomplete."""
        release = self.release
        if not release.heeds_hints or (release.hints_need_annotation and not self.service.wants_hints):
            return None
        ready = [each for each in self.endpoints if each.ready]
        if release.heeds_node_hints and self.node is not None and ready and all(each.nodes for each in ready):
            meant = frozenset(each.endpoint for each in ready if self.node in each.nodes)
            if meant:
                return meant
        if self.zone is None or not ready or not all(each.zones for each in ready):
            return None
        return frozenset(each.endpoint for each in ready if self.zone in each.zones) or None

    def _local(self) -> frozenset[str] | None:
        if self.node is None:
            return None
        return self._usable(each for each in self.endpoints if each.node == self.node)

    def _external_verdict(
        self,
        everywhere: frozenset[str],
        local: frozenset[str] | None,
        usable: bool,
        external_local: bool,
        restricted: bool,
    ) -> FrontendVerdict:
        if self.release.lets_unready_through and external_local and not local and self.endpoints:
            return FrontendVerdict.DROP
        return self._verdict(local if external_local or restricted else everywhere, usable, restricted)

    def _verdict(self, endpoints: frozenset[str] | None, usable: bool, none_is_refused: bool) -> FrontendVerdict:
        if endpoints is None:
            return FrontendVerdict.UNKNOWN
        if endpoints:
            return FrontendVerdict.BALANCE
        if self.release.lets_unready_through:
            members = [each for each in self.endpoints if not none_is_refused or each.node == self.node]
            return FrontendVerdict.UNMATCHED if members else FrontendVerdict.REJECT
        if not usable or (none_is_refused and self.release.refuses_external_as_none):
            return FrontendVerdict.REJECT
        return FrontendVerdict.DROP


def _of_family(addresses: Iterable[str], family: Family) -> tuple[str, ...]:
    return tuple(each for each in addresses if family_of(each) is family)
