"""Naming virtual servers after their Services: a node in IPVS mode has no Service names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ipt_explain.compare.objects.model import ApiObjects, ApiPort, ApiService
from ipt_explain.model import Backend, Family
from ipt_explain.netfilter.header import family_of
from ipt_explain.records import replace
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import Endpoint, FrontendKind, Masquerade, ServicePort

_Place = tuple[Family, str, str | None, int]
"""Family, protocol, address (None: a node port) and port."""
_Owner = tuple[str, str, str, str, Family]
"""Namespace, name, port's name, protocol and family."""

_KINDS = list(FrontendKind)


def with_names(explanation: Explanation, objects: ApiObjects) -> Explanation:
    """The explanation with IPVS entries merged into named service ports, each at the place of its first entry; entries
    without a Service in the objects stay unchanged."""
    owners = dict(_places(objects))
    gathered: dict[object, list[ServicePort]] = {}
    for service in explanation.services:
        owner = _owner(service, owners) if service.backend is Backend.IPVS and service.name is None else None
        gathered.setdefault(id(service) if owner is None else (service.source, owner), []).append(service)
    services = [_merged(entries, key[1]) if isinstance(key, tuple) else entries[0] for key, entries in gathered.items()]
    return replace(explanation, services=tuple(services))


def _places(objects: ApiObjects) -> Iterator[tuple[_Place, _Owner]]:
    """The owner of each place; if two service ports claim one, the later wins."""
    for service in objects.services:
        for port in service.ports:
            for family, address, number in _addresses(service, port):
                owner = (service.namespace, service.name, port.name, port.protocol, family)
                yield (family, port.protocol, address, number), owner


def _addresses(service: ApiService, port: ApiPort) -> Iterator[tuple[Family, str | None, int]]:
    balancers = (each.address for each in service.load_balancers)
    for address in (*service.external_ips, *balancers, *service.cluster_ips):
        yield family_of(address), address, port.port
    if port.node_port is not None:
        for family in {family_of(address) for address in service.cluster_ips}:
            yield family, None, port.node_port


def _owner(service: ServicePort, owners: Mapping[_Place, _Owner]) -> _Owner | None:
    for frontend in service.frontends:
        found = owners.get((service.family, service.protocol, frontend.address, frontend.port))
        if found is not None:
            return found
    return None


def _merged(entries: Sequence[ServicePort], owner: _Owner) -> ServicePort:
    """Merge the entries of one service port; its state and chances are those of its ClusterIP."""
    first, *rest = sorted(entries, key=lambda each: each.cluster_ip is None)
    endpoints: dict[str, Endpoint] = {each.chain: each for each in first.endpoints}
    for entry in rest:
        for endpoint in entry.endpoints:
            endpoints.setdefault(endpoint.chain, replace(endpoint, probability=0.0))
    frontends = [frontend for entry in (first, *rest) for frontend in entry.frontends]
    frontends.sort(key=lambda each: _KINDS.index(each.kind))
    seconds = [entry.affinity_seconds for entry in entries if entry.affinity_seconds is not None]
    hairpins = {each.hairpin for each in endpoints.values()}
    masquerade = first.masquerade
    return replace(
        first,
        namespace=owner[0],
        name=owner[1],
        port_name=owner[2],
        frontends=tuple(frontends),
        balancers=tuple({each.chain: each for entry in (first, *rest) for each in entry.balancers}.values()),
        endpoints=tuple(endpoints.values()),
        affinity_seconds=min(seconds, default=None),
        external_policy=next((entry.external_policy for entry in rest if entry.external_policy is not None), None),
        masquerade=Masquerade(True if hairpins == {True} else None, masquerade.all, masquerade.off_cluster),
    )
