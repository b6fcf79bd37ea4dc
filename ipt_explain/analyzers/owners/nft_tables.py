"""Other programs that have tables of nftables on a Kubernetes node: the tables' names.

From the sources of each project. kube-proxy's is not among them.
"""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.analyzers.owners.owner import KERNEL, Owner, owner_of

_Known = tuple[str, str]

_EXACT: Mapping[str, _Known] = {
    "calico": ("Calico", "network policy and pod routing"),
    "cni_hostport": ("CNI portmap", "host ports"),
    "cni_plugins_masquerade": ("CNI bridge or ptp", "masquerades what containers send outside"),
    "crio-hostports": ("CRI-O", "host ports of pods"),
    "crowdsec": ("CrowdSec", "addresses that it has banned"),
    "crowdsec6": ("CrowdSec", "addresses that it has banned"),
    "docker-bridges": ("Docker", "published ports, and forwarding to and from containers"),
    "f2b-table": ("fail2ban", "addresses that its jails have banned"),
    "firewalld": ("firewalld", "the host firewall's zones and policies"),
    "flannel-ipv4": ("flannel", "forwarding and masquerading of the pod network"),
    "flannel-ipv6": ("flannel", "forwarding and masquerading of the pod network"),
    "incus": ("Incus", "virtual networks"),
    "kube-network-policies": ("kube-network-policies", "network policies"),
    "libvirt_network": ("libvirt", "virtual networks: forwarding, masquerading"),
    "lxd": ("LXD", "virtual networks"),
    "netavark": ("Podman (netavark)", "published ports and access to containers"),
    "ovn-kubernetes": ("OVN-Kubernetes", "Service and egress traffic between the node and OVN"),
}

_PREFIXES: tuple[tuple[str, str, str], ...] = (
    ("istio-", "Istio", "redirects a pod's traffic through its proxy"),
    ("kindnet-", "kindnet", "the pod network"),
    ("wg-quick-", "wg-quick", "keeps packets of a WireGuard tunnel in it"),
)


def owner_of_nft_chain(table: str, chain: str) -> Owner | None:
    """The owner of a chain of nftables, or of one that iptables-nft made there, by the table's name or otherwise the
    chain's; None if unknown. Names of hooks say nothing."""
    known = _EXACT.get(table) or next((each[1:] for each in _PREFIXES if table.startswith(each[0])), None)
    if known is not None:
        return Owner(*known, "table")
    owner = owner_of(chain, (), table)
    return None if owner is None or owner.name == KERNEL else owner


def owner_of_nft_table(table: str) -> str | None:
    """The program that made a table; None if unknown."""
    owner = owner_of_nft_chain(table, "")
    return None if owner is None else owner.name
