"""The purposes of kube-proxy's nftables chains, by name."""

from __future__ import annotations

from ipt_explain.analyzers.nftables.names import ChainKind, proxy_chain

_OF_SERVICES = {
    ChainKind.SERVICE: "spreads connections over all endpoints of {}",
    ChainKind.LOCAL: "spreads connections over the endpoints of {} on this node",
    ChainKind.EXTERNAL: "connections to external addresses and node ports of {}",
    ChainKind.FIREWALL: "source ranges of {}",
    ChainKind.ENDPOINT: "one endpoint of {}",
}

_OF_ALL = {
    "services": "looks up Services by address and port; node ports come last",
    "service-endpoints-check": "refuses connections to Services that have no usable endpoint",
    "nodeport-endpoints-check": "refuses connections to node ports that have no usable endpoint",
    "firewall-check": "drops what a Service's source ranges do not let in",
    "cluster-ips-check": "refuses packets to ports that a ClusterIP does not have",
    "masquerading": "masquerades marked packets",
    "mark-for-masquerade": "marks packets to be masqueraded",
    "reject-chain": "refuses connections",
    "filter-prerouting": "checks new connections as they arrive",
    "filter-prerouting-pre-dnat": "checks new connections as they arrive",
    "filter-output-pre-dnat": "checks the node's own new connections",
    "filter-input": "checks new connections to the node",
    "filter-forward": "checks new connections through the node",
    "filter-output": "checks the node's own new connections",
    "filter-output-post-dnat": "checks the node's own new connections once translated",
    "nat-prerouting": "translates connections as they arrive",
    "nat-output": "translates the node's own connections",
    "nat-postrouting": "rewrites sources as packets leave",
}


def purpose_of(chain: str) -> str | None:
    """The purpose of one of kube-proxy's chains; None for a name that it does not use."""
    known = proxy_chain(chain)
    return _OF_ALL.get(chain) if known is None else _OF_SERVICES[known.kind].format(known.port.spelled)
