"""Reads the output of `kubectl get services,endpointslices,nodes -A -o json` (or yaml).

The file is untrusted: types of values are checked, and anything that the API does not allow is refused with a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ipt_explain.compare.objects.documents import HOW, documents, list_at, map_of, number_of, word_of
from ipt_explain.compare.objects.model import (
    ApiEndpoint,
    ApiNode,
    ApiObjects,
    ApiPort,
    ApiService,
    EndpointKey,
    LoadBalancerAddress,
)
from ipt_explain.errors import UsageError
from ipt_explain.model import Family
from ipt_explain.netfilter.header import family_of, format_address, parse_address
from ipt_explain.words import address_port

_DEFAULT_AFFINITY_SECONDS = 10800
_HEADLESS = "service.kubernetes.io/headless"
_OTHER_PROXY = "service.kubernetes.io/service-proxy-name"
_SERVICE_NAME = "kubernetes.io/service-name"
_HINT_ANNOTATIONS = ("service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints")
_ZONE_LABELS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_MINOR = re.compile(r"v?1\.(\d{1,3})")
_MAX_DEPTH = 8


def read_objects(text: str, source: str) -> ApiObjects:
    """The Services, endpoints and nodes in a JSON or YAML file with any number of lists and objects.

    Raises UsageError for anything but Kubernetes objects, and for a list that was cut off.
    """
    reader = _ObjectReader(source)
    try:
        for document in documents(text, source):
            reader.take(document)
    except RecursionError:
        raise UsageError(f"{source}: this is nested too deeply to be Kubernetes objects") from None
    return reader.finish()


class _ObjectReader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._services: dict[tuple[str, str], ApiService] = {}
        self._slices: list[dict[str, Any]] = []
        self._endpoints: list[dict[str, Any]] = []
        self._nodes: dict[str, ApiNode] = {}
        self._seen: set[str] = set()

    def take(self, document: Any, depth: int = 0) -> None:
        """Add one object, or all of a list."""
        if document is None:
            return
        if isinstance(document, list) and depth < _MAX_DEPTH:
            for item in document:
                self.take(item, depth + 1)
            return
        kind = document.get("kind") if isinstance(document, dict) else None
        if not isinstance(kind, str):
            raise UsageError(
                f"{self._source}: this contains something that is not a Kubernetes object; write it with `{HOW}`"
            )
        if kind.endswith("List") and depth < _MAX_DEPTH:
            self._take_list(kind, document, depth)
            return
        self._seen.add(kind)
        if kind == "Service":
            self._take_service(document)
        elif kind == "EndpointSlice":
            self._slices.append(document)
        elif kind == "Endpoints":
            self._endpoints.append(document)
        elif kind == "Node":
            self._take_node(document)

    def _take_list(self, kind: str, document: dict[str, Any], depth: int) -> None:
        metadata = map_of(document, "metadata")
        if metadata.get("continue") or metadata.get("remainingItemCount"):
            raise UsageError(
                f"{self._source}: the list of objects was cut (it has a `continue` token): use `{HOW} --chunk-size=0`"
            )
        self._seen.add(kind.removesuffix("List"))
        for item in list_at(document, "items"):
            if isinstance(item, dict) and "kind" not in item and kind != "List":
                # Items of a typed list need not say their kind.
                item = {**item, "kind": kind.removesuffix("List")}
            self.take(item, depth + 1)

    def finish(self) -> ApiObjects:
        """Put all objects together."""
        endpoints: dict[EndpointKey, dict[str, ApiEndpoint]] = {}
        sliced: set[tuple[str, str]] = set()
        for slice_ in self._slices:
            owner = self._take_slice(slice_, endpoints)
            if owner is not None:
                sliced.add(owner)
        for each in self._endpoints:
            metadata = map_of(each, "metadata")
            owner = (word_of(metadata, "namespace") or "default", word_of(metadata, "name"))
            if owner not in sliced:
                self._take_endpoints(owner, each, endpoints)
        notes = [] if self._nodes else [f"{self._source} has no Nodes: zones, and which node this is, are unknown"]
        return ApiObjects(
            self._source,
            tuple(self._services.values()),
            {key: tuple(found.values()) for key, found in endpoints.items()},
            self._nodes,
            frozenset(self._seen),
            tuple(notes),
        )

    def _take_service(self, document: dict[str, Any]) -> None:
        """Add a Service, unless kube-proxy ignores it: headless, ExternalName, another proxy's."""
        metadata, spec = map_of(document, "metadata"), map_of(document, "spec")
        labels, annotations = map_of(metadata, "labels"), map_of(metadata, "annotations")
        if _HEADLESS in labels or _OTHER_PROXY in labels or spec.get("type") == "ExternalName":
            return
        cluster_ips = _addresses(spec.get("clusterIPs")) or _addresses([spec.get("clusterIP")])
        if not cluster_ips:
            return
        namespace, name = word_of(metadata, "namespace") or "default", word_of(metadata, "name")
        hints = next((annotations[key] for key in _HINT_ANNOTATIONS if key in annotations), None)
        service = ApiService(
            namespace,
            name,
            cluster_ips,
            tuple(self._port(port, f"{namespace}/{name}") for port in list_at(spec, "ports")),
            _addresses(spec.get("externalIPs")),
            tuple(_ingress(map_of(map_of(document, "status"), "loadBalancer"))),
            tuple(str(each).strip() for each in list_at(spec, "loadBalancerSourceRanges")),
            spec.get("internalTrafficPolicy") == "Local",
            spec.get("externalTrafficPolicy") == "Local",
            _affinity_seconds(spec),
            number_of(spec.get("healthCheckNodePort")),
            hints in ("Auto", "auto"),
            spec.get("type") in ("NodePort", "LoadBalancer"),
            "status" in document,
        )
        self._services[namespace, name] = service

    def _port(self, port: Any, service: str) -> ApiPort:
        number = number_of(port.get("port")) if isinstance(port, dict) else None
        if number is None:
            raise UsageError(f"{self._source}: Service {service} has a port without a number")
        return ApiPort(
            word_of(port, "name"), (word_of(port, "protocol") or "TCP").lower(), number, number_of(port.get("nodePort"))
        )

    def _take_slice(
        self, document: dict[str, Any], endpoints: dict[EndpointKey, dict[str, ApiEndpoint]]
    ) -> tuple[str, str] | None:
        metadata = map_of(document, "metadata")
        labels = map_of(metadata, "labels")
        service = word_of(labels, _SERVICE_NAME)
        if not service or _HEADLESS in labels or _OTHER_PROXY in labels or document.get("addressType") == "FQDN":
            return None
        owner = (word_of(metadata, "namespace") or "default", service)
        for name, protocol, number in _ports_of(document):
            for each in list_at(document, "endpoints"):
                for found, family in _slice_endpoints(each, number):
                    _merge(endpoints.setdefault((*owner, family, name, protocol), {}), found)
        return owner

    def _take_endpoints(
        self, owner: tuple[str, str], document: dict[str, Any], endpoints: dict[EndpointKey, dict[str, ApiEndpoint]]
    ) -> None:
        """Add an Endpoints object; kube-proxy ignores its addresses that are not ready."""
        if _HEADLESS in map_of(map_of(document, "metadata"), "labels"):
            return
        for subset in list_at(document, "subsets"):
            for name, protocol, number in _ports_of(subset):
                for address in list_at(subset, "addresses"):
                    ip = _short(word_of(address, "ip"))
                    if ip:
                        node = word_of(address, "nodeName") or None
                        found = ApiEndpoint(address_port(ip, number), True, True, False, node, pod=_pod_of(address))
                        key = (*owner, family_of(ip), name, protocol)
                        endpoints.setdefault(key, {})[found.endpoint] = found

    def _take_node(self, document: dict[str, Any]) -> None:
        metadata, spec, status = map_of(document, "metadata"), map_of(document, "spec"), map_of(document, "status")
        labels = map_of(metadata, "labels")
        name = word_of(metadata, "name")
        cidrs = [str(each) for each in list_at(spec, "podCIDRs")] or [word_of(spec, "podCIDR")]
        version = _MINOR.match(word_of(map_of(status, "nodeInfo"), "kubeletVersion"))
        self._nodes[name] = ApiNode(
            name,
            tuple(_short(word_of(each, "address")) for each in list_at(status, "addresses") if isinstance(each, dict)),
            tuple(filter(None, cidrs)),
            next((str(labels[label]) for label in _ZONE_LABELS if label in labels), None),
            int(version[1]) if version else None,
        )


def _ports_of(document: Any) -> Iterator[tuple[str, str, int]]:
    """Name, protocol and number of each port that has a number."""
    for port in list_at(document, "ports"):
        number = number_of(port.get("port")) if isinstance(port, dict) else None
        if number is not None:
            yield word_of(port, "name"), (word_of(port, "protocol") or "TCP").lower(), number


def _slice_endpoints(document: Any, port: int) -> Iterator[tuple[ApiEndpoint, Family]]:
    """The endpoints of a slice. kube-proxy uses an endpoint's first address. Missing conditions default to ready, to
    serving if ready, and to not terminating."""
    addresses = _addresses(document.get("addresses")) if isinstance(document, dict) else ()
    if not addresses:
        return
    conditions = map_of(document, "conditions")
    ready = conditions.get("ready") is not False
    serving = ready if conditions.get("serving") is None else bool(conditions["serving"])
    hints = map_of(document, "hints")
    zones, nodes = (
        tuple(word_of(each, "name") for each in list_at(hints, key) if isinstance(each, dict))
        for key in ("forZones", "forNodes")
    )
    topology = map_of(document, "topology")  # in v1beta1
    node = word_of(document, "nodeName") or word_of(topology, "kubernetes.io/hostname") or None
    zone = word_of(document, "zone") or next((word_of(topology, label) for label in _ZONE_LABELS), "") or None
    text, terminating = address_port(addresses[0], port), bool(conditions.get("terminating"))
    yield (
        ApiEndpoint(text, ready, serving, terminating, node, zones, nodes, zone, _pod_of(document)),
        family_of(addresses[0]),
    )


def _pod_of(endpoint: Any) -> str | None:
    """The pod that an endpoint refers to, as `namespace/name`."""
    target = map_of(endpoint, "targetRef")
    name = word_of(target, "name") if target.get("kind") == "Pod" else ""
    return f"{word_of(target, 'namespace') or 'default'}/{name}" if name else None


def _merge(known: dict[str, ApiEndpoint], found: ApiEndpoint) -> None:
    """Add an endpoint. One in two slices (it moves from one to the other) counts once, as ready if either says so."""
    before = known.get(found.endpoint)
    if before is None or (found.ready and not before.ready):
        known[found.endpoint] = found


def _ingress(status: dict[str, Any]) -> Iterator[LoadBalancerAddress]:
    for each in list_at(status, "ingress"):
        ip = _short(word_of(each, "ip")) if isinstance(each, dict) else ""
        if ip:
            yield LoadBalancerAddress(ip, each.get("ipMode") == "Proxy")


def _affinity_seconds(spec: dict[str, Any]) -> int | None:
    if spec.get("sessionAffinity") != "ClientIP":
        return None
    seconds = number_of(map_of(map_of(spec, "sessionAffinityConfig"), "clientIP").get("timeoutSeconds"))
    return _DEFAULT_AFFINITY_SECONDS if seconds is None else seconds


def _addresses(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else []
    words = (each.strip() for each in items if isinstance(each, str))
    return tuple(_short(word) for word in words if word not in ("", "None"))


def _short(address: str) -> str:
    """An address as iptables prints it: IPv6 may be written long (`fd00:0:0:0::1`). Other text stays as it is."""
    if ":" not in address:
        return address
    try:
        return format_address(parse_address(address), Family.IPV6)
    except ValueError:
        return address
