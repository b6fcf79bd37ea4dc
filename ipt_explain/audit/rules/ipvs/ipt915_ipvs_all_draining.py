"""All real servers of a virtual server have weight 0.

What it checks:
    A virtual server with real servers has one whose weight is not 0. kube-proxy sets weight 0 for endpoints that are
    gone, until their old connections end.

Why it matters:
    New connections are refused, though the Service seems to have endpoints.

Example:
    create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 65536
    add KUBE-CLUSTER-IP 10.96.0.1,tcp:443
    -A -t 10.96.0.1:443 -s rr
    -a -t 10.96.0.1:443 -r 192.168.50.10:6443 -m -w 0

How to fix:
    Check the Service's endpoints: none is ready. If some are, restart kube-proxy on the node.

When to ignore:
    While a Service's last pods are deleted.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, IpvsContext, Location, Severity, ipvs_rule
from ipt_explain.words import front

_FIX = "Check the Service's endpoints; if some are ready, restart kube-proxy on this node."


@ipvs_rule("IPT915", "ipvs-all-draining", Severity.WARNING, gathers=True)
def ipvs_all_draining(context: IpvsContext) -> Faults:
    """One fault for each address and port."""
    for each in context.ipvs.fronts:
        weights = [real.weight for server in each.servers for real in server.real_servers]
        if weights and all(weight == 0 for weight in weights):  # a listing with other columns has None
            where = front(each.address, each.port)
            yield Fault(
                f"all real servers of {each.protocol} {where} have weight 0: new connections are refused",
                _FIX,
                Location("ipvs", each.servers[0].line, f"{each.protocol} {where}", table="ipvs"),
                key=f"{each.protocol} {where}",
            )
