"""A kube-proxy set has a Service's address, but no virtual server serves it.

What it checks:
    Every address and port in kube-proxy's sets of ClusterIPs, external IPs and load balancers, and every port in its
    node port sets, has a virtual server. This is checked only if all virtual servers are known.

Why it matters:
    If the address is on the node, usually on kube-ipvs0, its connections end at the node itself: it refuses them, or a
    program that happens to listen on the port answers in the Service's place. Otherwise they leave the node, and
    nothing answers them.

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
from ipt_explain.services.fates import NODE_GETS_IT, PAST_IPVS
from ipt_explain.words import front

_EFFECTS = {
    NODE_GETS_IT: "end at the node itself, which refuses them unless a program there listens on that port",
    PAST_IPVS: "leave the node, and nothing answers them",
}
_FIX = "Restart kube-proxy on this node, and check its log for IPVS errors."


@ipvs_rule("IPT911", "ipvs-entry-without-server", Severity.ERROR, reads_absence=True, gathers=True)
def ipvs_entry_without_server(context: IpvsContext) -> Faults:
    """One fault for each address and port."""
    whys = {
        (service.protocol, frontend.address, frontend.port): {lost.why for lost in frontend.fates.pod.lost}
        for service in context.services
        for frontend in service.frontends
        if frontend.fates is not None
    }
    for each in context.ipvs.fronts:
        if not each.servers and each.entries:
            first = each.entries[0]
            where = front(each.address, each.port)
            why = whys.get((each.protocol, each.address, each.port), set())
            effect = next((words for reason, words in _EFFECTS.items() if reason in why), "reach none of its endpoints")
            yield Fault(
                f"{each.protocol} {where} is in a kube-proxy set, but no virtual server serves it: connections to it "
                f"{effect}",
                _FIX,
                Location(None, first.line if first.source == context.source else None, f"{first.role.value} {where}"),
                key=f"{each.protocol} {where}",
            )
