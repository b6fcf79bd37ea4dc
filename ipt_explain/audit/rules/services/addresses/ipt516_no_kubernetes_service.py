"""There are rules for Services, but none for the API server's.

What it checks:
    Complete IPv4 dumps of kube-proxy in iptables mode have rules for `default/kubernetes:https`, the Service that every
    cluster has.

Why it matters:
    Pods on this node cannot reach the API server by its Service address. Controllers, DNS and network plugins fail.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SEP-BBBBBBBBBBBBBBBB - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-E3PXEPMWAWIUT6ZV - [0:0]
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-SEP-BBBBBBBBBBBBBBBB -p tcp -m tcp -j DNAT --to-destination 10.244.1.9:80
    -A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "shop/web cluster IP" -m tcp --dport 80
      -j KUBE-SVC-E3PXEPMWAWIUT6ZV
    -A KUBE-SVC-E3PXEPMWAWIUT6ZV -j KUBE-SEP-BBBBBBBBBBBBBBBB
    COMMIT

How to fix:
    Check whether the Service and its endpoints exist (`kubectl get svc,endpointslices -n default`), and restart
    kube-proxy on the node.

When to ignore:
    When the API server has only an IPv6 address, or names in the dump were replaced.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import SERVICES
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, rule
from ipt_explain.model import Family
from ipt_explain.services.ports import ProxyMode


@rule("IPT516", "no-kubernetes-service", Severity.INFO, reads_absence=True)
def no_kubernetes_service(context: RulesetContext) -> Faults:
    """One note for a ruleset."""
    chain = context.chain("nat", SERVICES)
    services = context.services
    if chain is None or not services or context.facts.mode is not ProxyMode.IPTABLES:
        return
    if context.ruleset.family is Family.IPV6:
        return  # the API server's Service has one family, mostly IPv4
    if all(service.name is not None for service in services) and not any(
        service.name == "kubernetes" and service.namespace == "default" for service in services
    ):
        yield Fault(
            "there are rules for Services, but none for default/kubernetes: pods on this node cannot reach the API "
            "server by its Service address",
            "Check whether the Service has endpoints, and restart kube-proxy on this node.",
            at_chain(chain),
        )
