"""A Service's address is not on kube-ipvs0.

What it checks:
    If the dump shows the addresses of kube-ipvs0 (`ip addr`), it has every ClusterIP with a virtual server and every
    address of the set KUBE-IPVS-IPS. External addresses may be on another interface (since 1.28). An address on
    kube-ipvs0 without a virtual server is a note.

Why it matters:
    IPVS handles only packets to the node's own addresses. Other packets are forwarded, and nothing answers them.

Example:
    create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 65536
    add KUBE-CLUSTER-IP 10.96.0.1,tcp:443
    add KUBE-CLUSTER-IP 10.96.0.10,tcp:53
    -A -t 10.96.0.1:443 -s rr
    -a -t 10.96.0.1:443 -r 192.168.50.10:6443 -m -w 1
    -A -t 10.96.0.10:53 -s rr
    -a -t 10.96.0.10:53 -r 10.244.1.2:53 -m -w 1
    3: kube-ipvs0    inet 10.96.0.1/32 scope global kube-ipvs0

How to fix:
    Restart kube-proxy on the node: it adds its addresses again. Look for programs that manage interfaces and remove the
    addresses (NetworkManager, systemd-networkd), and make them leave kube-ipvs0 alone.

When to ignore:
    Never for a ClusterIP.
"""

from __future__ import annotations

from ipt_explain.analyzers.ipvs.fronts import Front
from ipt_explain.analyzers.ipvs.node import PROXY_INTERFACE, unbound
from ipt_explain.audit.authoring import Fault, Faults, IpvsContext, Location, Severity, gathered, ipvs_rule

_FIX = "Restart kube-proxy on this node, and keep other programs from managing kube-ipvs0."


@ipvs_rule("IPT913", "ipvs-address-not-bound", Severity.ERROR)
def ipvs_address_not_bound(context: IpvsContext) -> Faults:
    """One fault for each address, and one note for addresses that nobody serves."""
    node, known = context.ipvs, context.known.addresses
    if node.bound is None or known is None:
        return
    yield from gathered(map(_fault, unbound(node, known)))
    served = {each.address for each in node.fronts}  # IPT911 reports those that only sets have
    stale = sorted(node.bound - served)
    if stale and context.complete:
        yield Fault(
            f"{PROXY_INTERFACE} has {', '.join(stale[:3])}{' and others' if len(stale) > 3 else ''}, which no virtual "
            "server serves",
            "Restart kube-proxy on this node if they stay.",
            Location(PROXY_INTERFACE, table="ipvs"),
            severity=Severity.INFO,
            key="stale",
        )


def _fault(front: Front) -> Fault:
    address = front.address or ""
    return Fault(
        f"{address} has a virtual server but is not on {PROXY_INTERFACE}: packets to it are forwarded, and nothing "
        "answers them",
        _FIX,
        Location("ipvs", front.servers[0].line, address, table="ipvs"),
        key=address,
    )
