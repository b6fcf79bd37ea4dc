"""Which addresses are ClusterIPs: those of the set cluster-ips, which kube-proxy has had since 1.30."""

from __future__ import annotations

from ipt_explain.analyzers.nftables.tables import CLUSTER_IPS, proxy_table
from ipt_explain.model import nft
from ipt_explain.netfilter.header.addresses import family_of


def is_cluster_ip(ruleset: nft.Ruleset, address: str) -> bool:
    """Whether kube-proxy serves or refuses an address, in its canonical text, as a ClusterIP."""
    table = proxy_table(ruleset, family_of(address))
    found = None if table is None else table.sets.get(CLUSTER_IPS)
    return found is not None and any(element.key == address for element in found.elements)
