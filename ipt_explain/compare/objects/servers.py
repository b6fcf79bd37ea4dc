"""Virtual servers against the API objects: every mismatch of a node in IPVS mode.

Facts: syncProxyRules and syncEndpoint of pkg/proxy/ipvs/proxier.go. From 1.24 on, a virtual server that policy Local
leaves without endpoints gets all of the cluster's, except the ClusterIP of a Service without external frontends; up to
1.23 it got none. Each virtual server has its own persistence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.ipvs.entries import Place
from ipt_explain.compare.objects.mismatches import RESYNC, Mismatch, MismatchKind, missing_service
from ipt_explain.compare.objects.model import ApiObjects
from ipt_explain.compare.objects.proxy import Intent, Release, intents
from ipt_explain.compare.objects.server_names import with_names
from ipt_explain.compare.services.source_ranges import networks_of
from ipt_explain.model import Family
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import Frontend, FrontendKind, ServicePort
from ipt_explain.words import address_port, listed
from ipt_explain.words import front as place_of

_MOST = 5
_Key = tuple[str, str, str, str]


def judge_servers(
    objects: ApiObjects,
    explanation: Explanation,
    family: Family,
    circumstances: Sequence[tuple[Release, str | None]],
    node: str | None,
) -> list[Mismatch]:
    """The mismatches of one family's virtual servers, with the release and zone that have the fewest."""
    served = [each for each in with_names(explanation, objects).services if each.family is family]
    found = [list(_mismatches(objects, served, family, release, zone, node)) for release, zone in circumstances]
    return min(found, key=len)


def _mismatches(
    objects: ApiObjects,
    served: Sequence[ServicePort],
    family: Family,
    release: Release,
    zone: str | None,
    node: str | None,
) -> Iterator[Mismatch]:
    by_name: dict[_Key, ServicePort] = {}
    for service in served:
        if service.name is None:
            yield _stale(service)
        else:
            key = (service.namespace or "", service.name, service.port_name or "", service.protocol)
            by_name[key] = service
    source = served[0].source if served else ""
    # If two Services claim an address and port, only one gets it; that is not the node's fault.
    places = frozenset((each.protocol, front.address, front.port) for each in served for front in each.frontends)
    for intent in intents(objects, family, node, zone, release):
        key = (intent.service.namespace, intent.service.name, intent.port.name, intent.port.protocol)
        found = by_name.get(key)
        if found is None:
            yield missing_service(intent, source)
        else:
            yield from _Case(intent, found, places).mismatches()


def _stale(service: ServicePort) -> Mismatch:
    places = ", ".join(place_of(each.address, each.port) for each in service.frontends)
    message = f"no Service of the cluster has {places}, but there is a virtual server for it"
    return Mismatch(
        MismatchKind.SERVICE_STALE, service.family, service.source, None, service.protocol, message, RESYNC,
        _lines(service.frontends),
    )  # fmt: skip


class _Case:
    """One service port."""

    def __init__(self, intent: Intent, service: ServicePort, served: frozenset[Place]) -> None:
        self._intent = intent
        self._service = service
        self._served = served
        self._of = {balancer.chain: balancer for balancer in service.balancers}

    def mismatches(self) -> Iterator[Mismatch]:
        """All of its mismatches."""
        messages = [*self._ports(), *self._ranges()]
        if messages:
            yield self._mismatch(MismatchKind.PORT_DIFFERS, "; ".join(messages), self._service.frontends)
        yield from self._affinity()
        for kind, words in ((MismatchKind.ENDPOINT_MISSING, "lacks"), (MismatchKind.ENDPOINT_STALE, "still has")):
            for frontend in self._service.frontends:
                wanted = self._wanted(frontend)
                found = self._found(frontend)
                differing = _wrong(wanted, found, kind)
                if differing:
                    place = place_of(frontend.address, frontend.port)
                    message = f"the virtual server of {place} {words} {listed(sorted(differing), _MOST)}"
                    yield self._mismatch(kind, message, [frontend])
                    break

    def _ports(self) -> Iterator[str]:
        intent = self._intent
        for address in dict.fromkeys((intent.cluster_ip, *intent.external_ips, *intent.load_balancers)):
            if (self._service.protocol, address, intent.port.port) not in self._served:
                yield f"{address_port(address, intent.port.port)} is missing"
        node_ports = {each.port for each in self._service.frontends if each.kind is FrontendKind.NODE_PORT}
        if intent.port.node_port is not None and intent.port.node_port not in node_ports:
            yield f"node port {intent.port.node_port} is missing"

    def _ranges(self) -> Iterator[str]:
        """Source ranges that differ. kube-proxy up to 1.33 cannot add a range of all addresses to its set, so it admits
        nobody."""
        expected = networks_of(self._intent.source_ranges)
        for frontend in self._service.frontends:
            if frontend.address in self._intent.load_balancers and frontend.source_ranges is not None:
                found = networks_of(frontend.source_ranges)
                if found and found != expected:
                    yield (
                        f"{frontend.address} should admit {listed(expected, _MOST) or 'anyone'}, not "
                        f"{listed(found, _MOST)}"
                    )

    def _affinity(self) -> Iterator[Mismatch]:
        asked, found = self._intent.affinity_seconds, self._service.affinity_seconds
        if asked != found:
            words = ["None" if each is None else f"ClientIP {each} s" for each in (asked, found)]
            told = f"session affinity should be {words[0]}, but the virtual servers have {words[1]}"
            yield self._mismatch(MismatchKind.AFFINITY_DIFFERS, told, self._service.frontends)

    def _wanted(self, frontend: Frontend) -> list[frozenset[str]] | None:
        """The sets of endpoints that a virtual server may have; None if that requires knowing the node."""
        intent = self._intent
        inner = frontend.kind is FrontendKind.CLUSTER_IP
        if not (intent.internal_local if inner else intent.external_local):
            return [intent.everywhere]
        if intent.local is None:
            return None
        if intent.local:
            return [intent.local]
        outside = bool(intent.port.node_port or intent.external_ips or intent.load_balancers)
        return [frozenset()] if inner and not outside else [intent.everywhere, frozenset()]

    def _found(self, frontend: Frontend) -> frozenset[str]:
        balancer = self._of.get(frontend.balancer or "")
        shares = balancer.shares if balancer is not None else ()
        return frozenset(each.endpoint for each in shares if each.endpoint is not None and each.probability != 0)

    def _mismatch(self, kind: MismatchKind, message: str, frontends: Sequence[Frontend]) -> Mismatch:
        intent = self._intent
        return Mismatch(
            kind, self._service.family, self._service.source, intent.label, intent.port.protocol, message, RESYNC,
            _lines(frontends),
        )  # fmt: skip


def _wrong(wanted: Sequence[frozenset[str]] | None, found: frozenset[str], kind: MismatchKind) -> frozenset[str]:
    """What is missing or stale, compared with the best-fitting pool."""
    if wanted is None or found in wanted:
        return frozenset()
    best = min(wanted, key=lambda each: len(each ^ found))
    return best - found if kind is MismatchKind.ENDPOINT_MISSING else found - best


def _lines(frontends: Sequence[Frontend]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(each.evidence.line for each in frontends))
