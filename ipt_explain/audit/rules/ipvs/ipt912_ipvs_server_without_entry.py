"""A virtual server is in none of kube-proxy's sets.

What it checks:
    Every virtual server's address and port is in one of kube-proxy's sets: ClusterIPs, external IPs, load balancers or
    node ports. This is checked only if all of these sets are known.

Why it matters:
    Somebody added the server by hand, or its set entry was removed. Since 1.26, KUBE-IPVS-FILTER refuses connections to
    addresses of kube-ipvs0 that are in no set, and none of them is masqueraded.

Example:
    create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 65536
    add KUBE-CLUSTER-IP 10.96.0.1,tcp:443
    create KUBE-EXTERNAL-IP hash:ip,port family inet hashsize 1024 maxelem 65536
    create KUBE-EXTERNAL-IP-LOCAL hash:ip,port family inet hashsize 1024 maxelem 65536
    create KUBE-LOAD-BALANCER hash:ip,port family inet hashsize 1024 maxelem 65536
    -A -t 10.96.0.1:443 -s rr
    -a -t 10.96.0.1:443 -r 192.168.50.10:6443 -m -w 1
    -A -t 10.96.0.99:80 -s rr
    -a -t 10.96.0.99:80 -r 10.244.1.9:8080 -m -w 1

How to fix:
    Restart kube-proxy on the node: it adds its Services again. Remove unused servers with `ipvsadm -D`.

When to ignore:
    When another program on the node balances with IPVS, as keepalived does.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, IpvsContext, Location, Severity, ipvs_rule
from ipt_explain.words import front

_FIX = "Restart kube-proxy on this node, and remove unused servers with ipvsadm -D."


@ipvs_rule("IPT912", "ipvs-server-without-entry", Severity.WARNING, gathers=True)
def ipvs_server_without_entry(context: IpvsContext) -> Faults:
    """One fault for each server."""
    for each in context.ipvs.fronts:
        if each.servers and each.kinds_known and not each.kinds:
            where = front(each.address, each.port)
            yield Fault(
                f"virtual server {each.protocol} {where} is in no kube-proxy set: it was added by hand, or its "
                "entry is gone, and its connections are refused or not masqueraded",
                _FIX,
                Location("ipvs", each.servers[0].line, f"{each.protocol} {where}", table="ipvs"),
                key=f"{each.protocol} {where}",
            )
