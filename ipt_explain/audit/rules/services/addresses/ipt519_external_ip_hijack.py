"""A Service claims an external address that belongs to another Service.

What it checks:
    No external IP or load balancer address of a Service, with its port, is an endpoint or the ClusterIP of another
    Service.

Why it matters:
    Anyone who may create Services can take other people's connections on every node by listing their address as an
    external IP (CVE-2020-8554). Clients then reach the claiming Service's pods instead of the machine or Service they
    asked for.

Example:
    -A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "shop/web cluster IP" -m tcp --dport 80
      -j KUBE-SVC-E3PXEPMWAWIUT6ZV
    -A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "other/taker external IP" -m tcp --dport 8080
      -j KUBE-EXT-RY3LQNPJZDAXCJBQ

How to fix:
    Remove the address from the Service's externalIPs, and forbid such addresses (the DenyServiceExternalIPs admission
    plugin, or a policy).

When to ignore:
    When both Services are yours and this is intended.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.services.front_rules import front_rules
from ipt_explain.audit.evidence.services.overlaps import taken_cluster_ips, two_meanings

_FIX = "Remove the address from the Service's externalIPs, unless both Services are yours and it is intended."


@rule(
    "IPT519",
    "external-ip-hijack",
    Severity.WARNING,
    evidence=(front_rules, "external"),
    yields_to=("IPT501",),
)
def external_ip_hijack(context: RulesetContext) -> Faults:
    """One fault for each such address."""
    for both in two_meanings(context):
        if not both.cluster_ip and not both.own:
            yield Fault(
                f"{both.address}, an external address of this Service, is an endpoint of another one "
                f"({both.endpoint}): this Service takes direct connections to it",
                _FIX,
                at_rule(both.rule),
                related=(both.dnat.line,),
            )
    for hijack in taken_cluster_ips(front_rules(context)):
        yield Fault(
            f"{hijack.rule.core('-d')}, an external address of this Service, is the ClusterIP of another one: this "
            "Service gets its connections on this port",
            _FIX,
            at_rule(hijack.rule),
            related=(hijack.victim.line,),
        )
