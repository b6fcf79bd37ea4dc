"""Virtual servers as service ports. The node has no Service names, so each address becomes its own service port."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from ipt_explain.analyzers.ipvs.fronts import Front
from ipt_explain.analyzers.ipvs.masquerading import cluster_ip_masquerade
from ipt_explain.analyzers.ipvs.node import IpvsNode, ipvs_node, serves_ipvs
from ipt_explain.analyzers.rulesets import proxy_mode
from ipt_explain.model import Backend, Dump, Family, Form, Ruleset
from ipt_explain.model.node import NodeFacts
from ipt_explain.model.node.ipvs import RealServer, VirtualServer
from ipt_explain.netfilter.ipvs.schedulers import server_shares
from ipt_explain.netfilter.walk.backends.ipvs_path import server_text
from ipt_explain.services.evidence import Shown
from ipt_explain.services.ports import (
    Balancer,
    Endpoint,
    Frontend,
    FrontendKind,
    FrontendVerdict,
    Masquerade,
    ProxyMode,
    RulesetFacts,
    Scope,
    ServiceChains,
    ServicePort,
    ServiceState,
    Share,
)
from ipt_explain.words import address_port, counted, front

_STATES = {
    FrontendVerdict.BALANCE: ServiceState.SERVING,
    FrontendVerdict.REJECT: ServiceState.NO_ENDPOINTS,
    FrontendVerdict.DROP: ServiceState.BLOCKED,
}


def read_ipvs(dump: Dump) -> Iterator[tuple[RulesetFacts, list[ServicePort]]]:
    """For each family that kube-proxy serves by IPVS: a summary, and its virtual servers as service ports."""
    facts = dump.node
    for family in Family:
        rulesets = [each for each in dump.rulesets if each.family is family]
        if not serves_ipvs(facts) and not _emptied(dump, rulesets):
            continue
        node = ipvs_node(facts, family)
        if node.fronts or not serves_ipvs(facts):
            source = _source(facts, dump)
            reader = _Reader(node, facts, source, rulesets)
            yield _summary(node, facts, source), [reader.service(each) for each in node.fronts]


def _emptied(dump: Dump, rulesets: Sequence[Ruleset]) -> bool:
    """Whether a family in IPVS mode has lost all virtual servers: kube-proxy's iptables rules are still those of IPVS
    mode, and there are no nftables rules. Otherwise the node has left the mode."""
    shown = dump.node.virtual_servers
    if shown is None or shown.servers or not shown.complete or dump.nft is not None:
        return False
    return any(proxy_mode(ruleset)[0] is ProxyMode.IPVS for ruleset in rulesets)


def _source(facts: NodeFacts, dump: Dump) -> str:
    if facts.virtual_servers is not None:
        return facts.virtual_servers.source
    return next((each.source for each in facts.sets.values()), dump.source)


def _summary(node: IpvsNode, facts: NodeFacts, source: str) -> RulesetFacts:
    count = sum(len(each.servers) for each in node.fronts)
    known = facts.virtual_servers is not None
    evidence = counted(count, "virtual server") if known else "ipsets; `ipvsadm-save -n` would show their servers"
    return RulesetFacts(
        source, node.family, Backend.IPVS, None, Form.SAVE, {}, ProxyMode.IPVS, None, evidence, None
    )  # fmt: skip


class _Reader:
    def __init__(self, node: IpvsNode, facts: NodeFacts, source: str, rulesets: Sequence[Ruleset]) -> None:
        self._node = node
        self._servers_known = facts.virtual_servers is not None and facts.virtual_servers.complete
        self._source = source
        self._cluster_ips = cluster_ip_masquerade(rulesets)

    def service(self, given: Front) -> ServicePort:
        """One address and port, or one node port, with its endpoints."""
        balancer = _balancer(given)
        endpoints = tuple(self._endpoints(given))
        verdict = self._verdict(given)
        kinds = given.kinds or (FrontendKind.EXTERNAL,)
        ranges = () if given.source_ranges is None else given.source_ranges.networks
        frontends = tuple(
            Frontend(kind, given.address, given.port, _evidence(given), verdict, balancer.chain, None, ranges)
            for kind in kinds
        )
        cluster_ip = given.address if FrontendKind.CLUSTER_IP in kinds else None
        hairpins = {each.hairpin for each in endpoints}
        other = cluster_ip is None and given.kinds_known
        marked = (False, None) if other else self._cluster_ips if cluster_ip is not None else (None, None)
        seconds = {each.persistence.seconds for each in given.servers if each.persistence is not None}
        return ServicePort(
            family=given.family,
            source=self._source,
            namespace=None,
            name=None,
            port_name=None,
            protocol=given.protocol,
            cluster_ip=cluster_ip,
            port=given.port if cluster_ip is not None else None,
            state=_STATES.get(verdict, ServiceState.UNKNOWN),
            frontends=frontends,
            balancers=(balancer,),
            endpoints=endpoints,
            affinity_seconds=min(seconds, default=None),
            internal_policy=None,
            external_policy=given.external_policy,
            health_check_node_port=None,
            masquerade=Masquerade(True if hairpins == {True} else None, *marked),
            chains=ServiceChains(service=f"{given.protocol} {front(given.address, given.port)}"),
            backend=Backend.IPVS,
        )

    def _verdict(self, given: Front) -> FrontendVerdict:
        if given.source_ranges is not None and not given.source_ranges.networks:
            return FrontendVerdict.DROP
        if not given.servers:
            return FrontendVerdict.UNMATCHED if self._servers_known else FrontendVerdict.UNKNOWN
        takes = any(share is None or share > 0 for server in given.servers for share in server_shares(server))
        return FrontendVerdict.BALANCE if takes else FrontendVerdict.REJECT

    def _endpoints(self, given: Front) -> Iterable[Endpoint]:
        for server in given.servers[:1]:
            for real, share in zip(server.real_servers, server_shares(server)):
                endpoint = address_port(real.address, real.port)
                local = self._node.is_local(given.protocol, real.address, real.port)
                yield Endpoint(
                    real.address, real.port, endpoint, None if share is None else float(share), local, local or None,
                    None if server.persistence is None else server.persistence.seconds, None,
                    _shown(real), local or None,
                )  # fmt: skip


def _balancer(given: Front) -> Balancer:
    """How connections spread. A node port has one server per address of the node, all alike: the first one counts."""
    if not given.servers:
        return Balancer(f"{given.protocol} {front(given.address, given.port)}", Scope.CLUSTER, (), 1.0)
    server = given.servers[0]
    return Balancer(
        server_text(server),
        Scope.CLUSTER,
        tuple(_share(server, real, share) for real, share in zip(server.real_servers, server_shares(server))),
        0.0 if server.real_servers else 1.0,
    )


def _share(server: VirtualServer, real: RealServer, share: Fraction | None) -> Share:
    endpoint = address_port(real.address, real.port)
    if share is not None:
        return Share(endpoint, endpoint, float(share), weight=real.weight)
    return Share(endpoint, endpoint, 1 / len(server.real_servers), server.scheduler or "unknown", real.weight)


def _evidence(given: Front) -> Shown:
    if given.servers:
        return Shown(given.servers[0].line, lambda: server_text(given.servers[0]))
    line = given.entries[0].line if given.entries else 1
    return Shown(line, lambda: f"{given.protocol} {front(given.address, given.port)}")


def _shown(real: RealServer) -> Shown:
    return Shown(real.line, lambda: f"-> {address_port(real.address, real.port)}")
