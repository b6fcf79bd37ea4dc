"""The purposes of the chains of kube-proxy and the kubelet.

Facts: pkg/proxy/iptables, pkg/proxy/ipvs, pkg/proxy/userspace and pkg/kubelet/kubelet_network_linux.go of 1.1 to 1.33.
"""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.analyzers.names import ChainRole, role_of
from ipt_explain.records import Record

PROXY = "kube-proxy"
PROXY_IPVS = "kube-proxy (IPVS mode)"
PROXY_USERSPACE = "kube-proxy (userspace mode, removed in 1.26)"
KUBELET = "kubelet"
PROXY_AND_KUBELET = "kube-proxy and kubelet"


class Purpose(Record):
    """A chain's owner, and in `text` its purpose."""

    owner: str
    text: str


_HASHED: Mapping[ChainRole, Purpose] = {
    ChainRole.SERVICE: Purpose(PROXY, "spreads new connections of one service port over all its endpoints"),
    ChainRole.LOCAL: Purpose(PROXY, "spreads new connections of one service port over its endpoints on this node"),
    ChainRole.ENDPOINT: Purpose(PROXY, "one endpoint of a service port: rewrites the destination to the pod"),
    ChainRole.EXTERNAL: Purpose(PROXY, "connections to one service port from outside: masquerades as its policy asks"),
    ChainRole.FIREWALL: Purpose(PROXY, "lets only a Service's source ranges through to its load balancer address"),
    ChainRole.LOCAL_EXTERNAL: Purpose(
        PROXY, "external connections to one service port of policy Local: only endpoints on this node (1.23 or earlier)"
    ),
}

# By (table, chain); None is any other table.
_FIXED: Mapping[tuple[str | None, str], Purpose] = {
    (None, "KUBE-SERVICES"): Purpose(PROXY, "looks up Services by address and port; node ports come last"),
    ("filter", "KUBE-SERVICES"): Purpose(PROXY, "refuses connections to Services that have no usable endpoint"),
    (None, "KUBE-EXTERNAL-SERVICES"): Purpose(
        PROXY, "refuses external connections to Services that have no usable endpoint"
    ),
    (None, "KUBE-NODEPORTS"): Purpose(PROXY, "looks up Services by node port"),
    ("filter", "KUBE-NODEPORTS"): Purpose(PROXY, "accepts health checks of load balancers"),
    (None, "KUBE-MARK-MASQ"): Purpose(PROXY, "marks packets to be masqueraded when they leave"),
    (None, "KUBE-MARK-DROP"): Purpose(KUBELET, "marks packets to be dropped by KUBE-FIREWALL"),
    (None, "KUBE-POSTROUTING"): Purpose(PROXY, "masquerades marked packets"),
    (None, "KUBE-FORWARD"): Purpose(PROXY, "accepts forwarded packets of Services; drops invalid ones"),
    (None, "KUBE-PROXY-FIREWALL"): Purpose(PROXY, "drops what a Service's source ranges kept out"),
    (None, "KUBE-FIREWALL"): Purpose(
        PROXY_AND_KUBELET, "drops packets marked for it, and packets from elsewhere to loopback addresses"
    ),
    ("nat", "KUBE-FIREWALL"): Purpose(PROXY_IPVS, "lets only a Service's source ranges through (1.24 or earlier)"),
    (None, "KUBE-PROXY-CANARY"): Purpose(PROXY, "stays empty: if it vanishes, somebody flushed the rules"),
    (None, "KUBE-KUBELET-CANARY"): Purpose(KUBELET, "stays empty: if it vanishes, somebody flushed the rules"),
    (None, "KUBE-IPTABLES-HINT"): Purpose(KUBELET, "stays empty: tells containers which iptables backend is in use"),
    (None, "KUBE-NODE-PORT"): Purpose(PROXY_IPVS, "marks node port connections to be masqueraded"),
    ("filter", "KUBE-NODE-PORT"): Purpose(PROXY_IPVS, "accepts health checks of load balancers"),
    (None, "KUBE-LOAD-BALANCER"): Purpose(PROXY_IPVS, "marks load balancer connections to be masqueraded"),
    (None, "KUBE-SOURCE-RANGES-FIREWALL"): Purpose(PROXY_IPVS, "drops what a Service's source ranges keep out"),
    (None, "KUBE-FIRE-WALL"): Purpose(PROXY_IPVS, "lets only a Service's source ranges through (1.10 or earlier)"),
    (None, "KUBE-IPVS-FILTER"): Purpose(PROXY_IPVS, "keeps Service addresses from reaching ports of the node itself"),
    (None, "KUBE-IPVS-OUT-FILTER"): Purpose(PROXY_IPVS, "drops the node's own connections that source ranges forbid"),
    (None, "KUBE-PORTALS-CONTAINER"): Purpose(PROXY_USERSPACE, "hands pods' Service connections to the proxy process"),
    (None, "KUBE-PORTALS-HOST"): Purpose(PROXY_USERSPACE, "hands the node's Service connections to the proxy process"),
    (None, "KUBE-NODEPORT-CONTAINER"): Purpose(PROXY_USERSPACE, "hands node port connections to the proxy process"),
    (None, "KUBE-NODEPORT-HOST"): Purpose(PROXY_USERSPACE, "hands the node's own node port connections to the proxy"),
    (None, "KUBE-NODEPORT-NON-LOCAL"): Purpose(PROXY_USERSPACE, "lets node port traffic of other nodes through"),
}


def role_of_kube_chain(chain: str, table: str | None) -> Purpose | None:
    """The purpose of a chain of kube-proxy or the kubelet; None for any other chain, even one named KUBE-…."""
    role = role_of(chain)
    if role is not None:
        return _HASHED[role]
    return _FIXED.get((table, chain)) or _FIXED.get((None, chain))
