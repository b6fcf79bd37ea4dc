"""The API objects, reduced to what kube-proxy uses."""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.model import Family
from ipt_explain.records import Record, field


class LoadBalancerAddress(Record):
    """An ingress address of a load balancer. `proxied`: ipMode Proxy, for which kube-proxy from 1.29 has no rules."""

    address: str
    proxied: bool = False


class ApiPort(Record):
    """One port of a Service; protocol in lower case, node port None if it has none."""

    name: str
    protocol: str
    port: int
    node_port: int | None


class ApiService(Record):
    """A Service that kube-proxy serves, with its addresses of all families.

    `has_external_type`: it is of type NodePort or LoadBalancer. `has_status`: the object was not stripped of its status
    (kubectl neat), which holds the load balancer's addresses.
    """

    namespace: str
    name: str
    cluster_ips: tuple[str, ...]
    ports: tuple[ApiPort, ...]
    external_ips: tuple[str, ...] = ()
    load_balancers: tuple[LoadBalancerAddress, ...] = ()
    source_ranges: tuple[str, ...] = ()
    internal_local: bool = False
    external_local: bool = False
    affinity_seconds: int | None = None
    health_check_node_port: int | None = None
    wants_hints: bool = False
    has_external_type: bool = True
    has_status: bool = True


class ApiEndpoint(Record):
    """One endpoint of a slice. `endpoint` is `ip:port`, in IPv6 `[ip]:port`; `zones` and `nodes` are those in its
    hints; `pod` is `namespace/name`."""

    endpoint: str
    ready: bool
    serving: bool
    terminating: bool
    node: str | None
    zones: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    zone: str | None = None
    pod: str | None = None


class ApiNode(Record):
    """A node: addresses, pod networks, zone, and the minor version of its kubelet."""

    name: str
    addresses: tuple[str, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    zone: str | None = None
    minor: int | None = None


EndpointKey = tuple[str, str, Family, str, str]
"""Namespace, service, family, port name, protocol."""


class ApiObjects(Record):
    """All objects of one file. `kinds` are those in the file, even if only as an empty list; `notes` say what is
    missing."""

    source: str
    services: tuple[ApiService, ...]
    endpoints: Mapping[EndpointKey, tuple[ApiEndpoint, ...]]
    nodes: Mapping[str, ApiNode]
    kinds: frozenset[str]
    notes: tuple[str, ...] = field(default=())
