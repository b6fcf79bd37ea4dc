"""An endpoint of a Service is itself the address of a Service.

What it checks:
    No endpoint's DNAT leads to an address, protocol and port that nat KUBE-SERVICES has a ClusterIP rule for.

Why it matters:
    The nat table is crossed once for each connection. After the first DNAT nothing translates the second address, so
    the connection leaves for a ClusterIP that no machine has, and is never answered.

Example:
    -A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "shop/web cluster IP" -m tcp --dport 80
      -j KUBE-SVC-E3PXEPMWAWIUT6ZV
    -A KUBE-SVC-BBBBBBBBBBBBBBBB -j KUBE-SEP-CCCCCCCCCCCCCCCC
    -A KUBE-SEP-CCCCCCCCCCCCCCCC -p tcp -m tcp -j DNAT --to-destination 10.96.0.20:80

How to fix:
    Put pods' or machines' addresses into the Endpoints of the Service, never another Service's ClusterIP. To name one
    Service like another, use type ExternalName.

When to ignore:
    When something else on the network answers at that address.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.services.overlaps import two_meanings


@rule("IPT514", "vip-is-endpoint", Severity.WARNING, about=("KUBE-SERVICES", "KUBE-NODEPORTS"))
def vip_is_endpoint(context: RulesetContext) -> Faults:
    """One fault for each such endpoint."""
    for both in two_meanings(context):
        if both.cluster_ip:
            yield Fault(
                f"the endpoint {both.address} is a Service's ClusterIP: nothing translates it a second time, and "
                "connections that choose it are never answered",
                "Put addresses of pods or machines into the Service's Endpoints.",
                at_rule(both.dnat, focus=both.address),
                related=(both.rule.line,),
            )
