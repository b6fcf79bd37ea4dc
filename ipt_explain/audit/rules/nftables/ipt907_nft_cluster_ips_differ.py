"""nftables: the set cluster-ips and the maps of Services disagree.

What it checks:
    Every address in kube-proxy's set `cluster-ips` is a ClusterIP with a port in `service-ips` or
    `no-endpoint-services`, and every ClusterIP in these maps is in the set.

Why it matters:
    A ClusterIP without ports serves nothing: map elements are missing. A ClusterIP missing from the set does not refuse
    unused ports, and from 1.36 on its connections from outside the cluster are not masqueraded. An external address in
    the set refuses its unused ports.

Example:
    table ip kube-proxy {
    set cluster-ips {
    type ipv4_addr
    elements = { 10.96.0.1, 10.96.0.10 }
    }
    map service-ips {
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = { 10.96.0.1 . tcp . 443 : goto service-2QRHZV4L-default/kubernetes/tcp/https }
    }
    chain nat-prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump services
    }
    chain services {
    ip daddr . meta l4proto . th dport vmap @service-ips
    }
    chain service-2QRHZV4L-default/kubernetes/tcp/https {
    meta l4proto tcp dnat to 192.168.50.10:6443
    }
    }

How to fix:
    Restart kube-proxy on the node: it rewrites its tables.
"""

from __future__ import annotations

from ipt_explain.analyzers.nftables.frontends import cluster_ips
from ipt_explain.analyzers.nftables.tables import CLUSTER_IPS
from ipt_explain.audit.authoring import RESTART_TABLES, Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.model import nft
from ipt_explain.services.ports import FrontendKind


@nft_rule("IPT907", "nft-cluster-ips-differ", Severity.WARNING, reads_absence=True, gathers=True)
def nft_cluster_ips_differ(context: NftContext, table: nft.Table) -> Faults:
    """One fault for each address."""
    held = table.sets.get(CLUSTER_IPS)
    if held is None:
        return
    active = cluster_ips(table)
    served = {frontend.address: frontend.kind for _, frontend in context.frontends}
    for element in held.elements:
        if not isinstance(element.key, str):
            continue
        kind = served.get(element.key)
        if kind is None:
            yield Fault(
                f"{element.key} is an active ClusterIP, but has no port in service-ips or no-endpoint-services",
                RESTART_TABLES,
                context.at_element(table, held, element),
                severity=Severity.ERROR,
            )
        elif kind is not FrontendKind.CLUSTER_IP:
            yield Fault(
                f"the set cluster-ips has {element.key}, an external address: its unused ports are refused",
                RESTART_TABLES,
                context.at_element(table, held, element),
            )
    for service, frontend in context.frontends:
        if frontend.kind is FrontendKind.CLUSTER_IP and frontend.address not in active:
            yield Fault(
                f"ClusterIP {frontend.address} is not in the set cluster-ips: its unused ports are not refused, "
                "and from kube-proxy 1.36 on connections from outside the cluster are not masqueraded",
                RESTART_TABLES,
                context.at(frontend.evidence),
                service=service.label,
            )
