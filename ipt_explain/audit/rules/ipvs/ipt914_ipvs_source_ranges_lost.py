"""A load balancer's source ranges are missing from the IPVS set: nobody may use the address.

What it checks:
    Every address in the set KUBE-LOAD-BALANCER-FW has a client network in KUBE-LOAD-BALANCER-SOURCE-CIDR.

Why it matters:
    The chain for source ranges drops clients outside all networks in the set, so it drops everybody. kube-proxy up to
    1.33 cannot add the range 0.0.0.0/0, which the set refuses; 1.34 and later treat it as no restriction.

Example:
    create KUBE-LOAD-BALANCER hash:ip,port family inet hashsize 1024 maxelem 65536
    add KUBE-LOAD-BALANCER 203.0.113.5,tcp:80
    create KUBE-LOAD-BALANCER-FW hash:ip,port family inet hashsize 1024 maxelem 65536
    add KUBE-LOAD-BALANCER-FW 203.0.113.5,tcp:80
    create KUBE-LOAD-BALANCER-SOURCE-CIDR hash:ip,port,net family inet hashsize 1024 maxelem 65536
    -A -t 203.0.113.5:80 -s rr
    -a -t 203.0.113.5:80 -r 10.244.1.9:8080 -m -w 1

How to fix:
    Remove 0.0.0.0/0 from the Service's loadBalancerSourceRanges, or write 0.0.0.0/1 and 128.0.0.0/1; or upgrade to
    1.34.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, IpvsContext, Location, Severity, ipvs_rule
from ipt_explain.words import front

_FIX = "Remove 0.0.0.0/0 from the Service's loadBalancerSourceRanges, or write 0.0.0.0/1 and 128.0.0.0/1."


@ipvs_rule("IPT914", "ipvs-source-ranges-lost", Severity.ERROR, gathers=True)
def ipvs_source_ranges_lost(context: IpvsContext) -> Faults:
    """One fault for each address and port."""
    for each in context.ipvs.fronts:
        ranges = each.source_ranges
        if ranges is not None and not ranges.networks and each.source_ranges_known:
            where = front(each.address, each.port)
            entry = ranges.entries[0] if ranges.entries else None
            line = entry.line if entry is not None and entry.source == context.source else None
            yield Fault(
                f"{each.protocol} {where} has source ranges, but no client network is in the set: every client is "
                "dropped",
                _FIX,
                Location(None, line, f"{each.protocol} {where}"),
                key=f"{each.protocol} {where}",
            )
