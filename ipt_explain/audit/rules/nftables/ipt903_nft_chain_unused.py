"""A Service's nftables chain has rules, but nothing leads to it.

What it checks:
    A map element or a rule of another chain leads to every chain with rules that kube-proxy's nftables mode has written
    for a Service (`service-…`, `local-…`, `external-…`, `firewall-…`, `endpoint-…`). Every Service with chains has its
    ClusterIP in the map `service-ips` or `no-endpoint-services`.

Why it matters:
    An element is missing, so connections to that address are not translated, its source ranges are not enforced, or an
    endpoint gets no connections.

Example:
    table ip kube-proxy {
    map service-ips {
    type ipv4_addr . inet_proto . inet_service : verdict
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
    Restart kube-proxy on the node. If two Services claim one external address, only one can have it: give the other a
    different address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ipt_explain.analyzers.nftables.names import ChainKind, ProxyChain, proxy_chain
from ipt_explain.audit.authoring import RESTART_TABLES, Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.audit.evidence.nftables.references import references
from ipt_explain.model import nft
from ipt_explain.netfilter.nft.jumps import NftJump
from ipt_explain.services.ports import FrontendKind

_LOST = {
    ChainKind.EXTERNAL: "connections to its external addresses and node port are not translated",
    ChainKind.LOCAL: "no connection reaches this node's endpoints",
    ChainKind.FIREWALL: "its source ranges are not enforced",
    ChainKind.ENDPOINT: "this endpoint gets no connections",
    ChainKind.SERVICE: "connections to its ClusterIP are not translated",
}


@nft_rule("IPT903", "nft-chain-unused", Severity.ERROR, reads_absence=True, gathers=True)
def nft_chain_unused(context: NftContext, table: nft.Table) -> Faults:
    """One fault for each chain."""
    leading = references(context)
    for chain, known in _service_chains(table):
        found = leading.get(chain.name)
        if found:
            continue
        conflict = known.kind is ChainKind.EXTERNAL and _may_be_taken(context, known)
        yield Fault(
            f"nothing leads to chain {chain.name}: "
            + ("another Service has its external address and port" if conflict else _LOST[known.kind]),
            RESTART_TABLES,
            context.at_chain(table, chain),
            service=known.port.spelled,
            severity=Severity.WARNING if conflict or known.kind is ChainKind.ENDPOINT else None,
        )
    yield from _without_cluster_ip(context, table, leading)


def _service_chains(table: nft.Table) -> Iterator[tuple[nft.Chain, ProxyChain]]:
    for chain in table.chains.values():
        known = proxy_chain(chain.name) if chain.rules else None
        if known is not None:
            yield chain, known


def _may_be_taken(context: NftContext, known: ProxyChain) -> bool:
    """Whether another Service has an external address with one of the Service's ports: of two that claim one, the last
    that kube-proxy has written has it."""
    own = {each.port for each in context.services if each.label == known.port.spelled}
    return any(
        frontend.port in own and frontend.kind is not FrontendKind.CLUSTER_IP and frontend.address is not None
        for each in context.services
        if each.label != known.port.spelled and each.protocol == known.protocol
        for frontend in each.frontends
    )


def _without_cluster_ip(context: NftContext, table: nft.Table, leading: Mapping[str, list[NftJump]]) -> Faults:
    """Services whose external addresses are served, but no ClusterIP."""
    for service in context.services:
        if service.name is None or service.cluster_ip is not None:
            continue
        name = service.chains.service or service.chains.external
        chain = None if name is None else table.chains.get(name)
        if chain is not None and leading.get(chain.name):
            yield Fault(
                "no ClusterIP of this Service is in the maps: " + _LOST[ChainKind.SERVICE],
                RESTART_TABLES,
                context.at_chain(table, chain),
                service=service.label,
                key="cluster ip",
            )
