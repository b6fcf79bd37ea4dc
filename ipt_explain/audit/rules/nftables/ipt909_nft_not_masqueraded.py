"""nftables: connections keep their source although kube-proxy would masquerade them.

What it checks:
    New connections to external addresses and node ports of Services with external traffic policy Cluster leave the node
    masqueraded, and so do endpoints' connections to themselves; ipt-explain sends them through all rules of the node.
    From 1.36 on the set hairpin-connections has all endpoints of this node. If most Services masquerade connections
    from outside the cluster to their ClusterIP, all do.

Why it matters:
    Replies do not come back through this node. Clients get them from the pod's address and drop them.

Example:
    table ip kube-proxy {
    map service-nodeports {
    type inet_proto . inet_service : verdict
    elements = { tcp . 30080 : goto external-SUSTUHLJ-default/web/tcp/http }
    }
    chain nat-prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump services
    }
    chain services {
    fib daddr type local meta l4proto . th dport vmap @service-nodeports
    }
    chain external-SUSTUHLJ-default/web/tcp/http {
    goto service-SUSTUHLJ-default/web/tcp/http
    }
    chain service-SUSTUHLJ-default/web/tcp/http {
    meta l4proto tcp dnat to 10.244.2.2:8080
    }
    }

How to fix:
    Restart kube-proxy on the node: it rewrites its tables. Then find what changed them.

When to ignore:
    When another program on the node masquerades them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ipt_explain.analyzers.nftables.tables import HAIRPIN_CONNECTIONS
from ipt_explain.audit.authoring import RESTART_TABLES, Fault, Faults, NftContext, Severity, gathered, nft_rule
from ipt_explain.model import nft
from ipt_explain.services.ports import FrontendKind, FrontendVerdict, ServicePort, TrafficPolicy
from ipt_explain.words import address_port, front


@nft_rule("IPT909", "nft-not-masqueraded", Severity.ERROR, reads_absence=True)
def nft_not_masqueraded(context: NftContext, table: nft.Table) -> Faults:
    """One fault for each frontend, endpoint and Service. Nothing goes through a dormant table, which IPT901 reports."""
    if table.dormant:
        return
    yield from gathered(_external(context))
    yield from gathered(_hairpins(context))
    yield from gathered(_missing_hairpins(context, table))
    yield from gathered(_cluster_ips(context))


def _external(context: NftContext) -> Faults:
    for service in context.services:
        if service.external_policy is not TrafficPolicy.CLUSTER:
            continue
        for frontend in service.frontends:
            fate = None if frontend.fates is None else frontend.fates.outside
            if frontend.kind is FrontendKind.CLUSTER_IP or fate is None or not fate.served:
                continue
            if fate.masqueraded is False:
                yield Fault(
                    f"connections from outside to {front(frontend.address, frontend.port)} are not masqueraded: "
                    "replies from endpoints on other nodes bypass this node",
                    RESTART_TABLES,
                    context.at(frontend.evidence),
                    service=service.label,
                )


def _hairpins(context: NftContext) -> Faults:
    for service in context.services:
        for endpoint in service.endpoints:
            if endpoint.hairpin is False and endpoint.address is not None:
                yield Fault(
                    f"{address_port(endpoint.address, endpoint.port)} cannot reach itself through the Service: the "
                    "connection is not masqueraded and hangs",
                    RESTART_TABLES,
                    context.at(endpoint.evidence),
                    service=service.label,
                    key=f"hairpin {endpoint.address}",
                )


def _missing_hairpins(context: NftContext, table: nft.Table) -> Faults:
    """From 1.36 on a set has all endpoints of this node: what it has one port of is on this node."""
    held = table.sets.get(HAIRPIN_CONNECTIONS)
    if held is None or not context.complete:
        return
    keys = {each.key.parts[1:] for each in held.elements if isinstance(each.key, nft.Concatenation)}
    here = {key[0] for key in keys}
    for service in context.services:
        for endpoint in service.endpoints:
            local = endpoint.local or endpoint.address in here
            if (
                local
                and endpoint.address is not None
                and (endpoint.address, service.protocol, endpoint.port) not in keys
            ):
                yield Fault(
                    f"{address_port(endpoint.address, endpoint.port)} cannot reach itself through the Service: it is "
                    "on this node but not in hairpin-connections, so the connection hangs",
                    RESTART_TABLES,
                    context.at(endpoint.evidence),
                    service=service.label,
                    key=f"hairpin set {endpoint.address}",
                )


def _cluster_ips(context: NftContext) -> Faults:
    served = list(_balanced(context))
    conditions = Counter(service.masquerade.off_cluster or "" for service in served if _is_told(service))
    usual = conditions.most_common(1)[0] if conditions else ("", 0)
    for service in served if usual[1] * 2 > len(served) else ():
        if not _is_told(service):
            first = service.frontends[0]
            yield Fault(
                "connections from outside the cluster to the ClusterIP are not masqueraded, unlike other Services'",
                RESTART_TABLES,
                context.at(first.evidence),
                service=service.label,
                severity=Severity.WARNING,
                key="cluster ip",
            )


def _is_told(service: ServicePort) -> bool:
    return service.masquerade.all or service.masquerade.off_cluster is not None


def _balanced(context: NftContext) -> Iterator[ServicePort]:
    for service in context.services:
        first = service.frontends[0] if service.frontends else None
        if first is not None and first.kind is FrontendKind.CLUSTER_IP and first.verdict is FrontendVerdict.BALANCE:
            yield service
