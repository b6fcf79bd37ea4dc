"""A kube-proxy set has a Service's address, but no virtual server serves it.

What it checks:
    Every address and port in kube-proxy's sets of ClusterIPs, external IPs and load balancers, and every port in its
    node port sets, has a virtual server. This is checked only if all virtual servers are known.

Why it matters:
    The connections end at the node itself, which refuses them.

Example:
    create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 65536
    add KUBE-CLUSTER-IP 10.96.0.1,tcp:443
    add KUBE-CLUSTER-IP 10.96.0.10,udp:53
    -A -t 10.96.0.1:443 -s rr
    -a -t 10.96.0.1:443 -r 192.168.50.10:6443 -m -w 1

How to fix:
    Restart kube-proxy on the node, and check its log for IPVS errors. Take all outputs at the same time.

When to ignore:
    When the virtual servers were listed at another time than the sets, or only in part.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, IpvsContext, Location, Severity, ipvs_rule
from ipt_explain.words import front

_FIX = "Restart kube-proxy on this node, and check its log for IPVS errors."


@ipvs_rule("IPT911", "ipvs-entry-without-server", Severity.ERROR, reads_absence=True, gathers=True)
def ipvs_entry_without_server(context: IpvsContext) -> Faults:
    """One fault for each address and port."""
    for each in context.ipvs.fronts:
        if not each.servers and each.entries:
            first = each.entries[0]
            where = front(each.address, each.port)
            yield Fault(
                f"{each.protocol} {where} is in a kube-proxy set, but no virtual server serves it: connections to it "
                "are refused",
                _FIX,
                Location(None, first.line if first.source == context.source else None, f"{first.role.value} {where}"),
                key=f"{each.protocol} {where}",
            )
