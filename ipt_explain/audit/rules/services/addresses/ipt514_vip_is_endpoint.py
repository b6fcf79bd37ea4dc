"""An endpoint of a Service is itself the address of a Service.

What it checks:
    No endpoint's DNAT leads to an address, protocol and port that has a ClusterIP rule in nat KUBE-SERVICES.

Why it matters:
    Each connection crosses the nat table once. Nothing translates the second address after the first DNAT, so the
    connection leaves for a ClusterIP that no machine has and is never answered.

Example:
    -A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "shop/web cluster IP" -m tcp --dport 80
      -j KUBE-SVC-E3PXEPMWAWIUT6ZV
    -A KUBE-SVC-BBBBBBBBBBBBBBBB -j KUBE-SEP-CCCCCCCCCCCCCCCC
    -A KUBE-SEP-CCCCCCCCCCCCCCCC -p tcp -m tcp -j DNAT --to-destination 10.96.0.20:80

How to fix:
    Put addresses of pods or machines into the Service's Endpoints, never another Service's ClusterIP. To make a Service
    an alias of another one, use type ExternalName.

When to ignore:
    When something else on the network answers at that address.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.services.overlaps import two_meanings


@rule("IPT514", "vip-is-endpoint", Severity.WARNING, evidence=two_meanings)
def vip_is_endpoint(context: RulesetContext) -> Faults:
    """One fault for each such endpoint."""
    for both in two_meanings(context):
        if both.cluster_ip:
            yield Fault(
                f"endpoint {both.address} is a Service's ClusterIP: nothing translates it again, and connections sent "
                "there are never answered",
                "Put addresses of pods or machines into the Service's Endpoints.",
                at_rule(both.dnat, focus=both.address),
                related=(both.rule.line,),
            )
