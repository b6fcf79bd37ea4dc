"""Connections to a Service do not arrive, and no other rule says why.

What it checks:
    New connections are sent through all tables and hooks of the dump: to each ClusterIP from an ordinary pod and from
    the node itself, to node ports, external addresses and load balancers from outside. Where a Service has endpoints
    and connections still end elsewhere (dropped, refused, sent to what is no endpoint, or gone on untranslated), this
    rule names the rule or the chain that decides, unless a more exact rule of this catalogue accuses it already. What
    hangs on things that the dump does not show is left out. What a Service refuses by itself (no endpoints, policy
    Local, source ranges) is no loss.

    It is an error where a Service is cut off as a whole, or where default/kubernetes or kube-dns lose connections at
    all; a warning where some endpoints or a share of connections are lost.

Why it matters:
    Clients time out or get the wrong answer, all of them or one in so many, though Services and pods look healthy.

Example:
    *mangle
    :PREROUTING ACCEPT [0:0]
    :POSTROUTING ACCEPT [0:0]
    -A POSTROUTING -d 10.244.2.0/24 -j DROP
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :KUBE-SEP-H7FN6LU3RSH6CC2T - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-ERIFXISQEP7F7OF4 - [0:0]
    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A KUBE-SEP-H7FN6LU3RSH6CC2T -p tcp -m tcp -j DNAT --to-destination 10.244.2.2:53
    -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp cluster IP" -m tcp
      --dport 53 -j KUBE-SVC-ERIFXISQEP7F7OF4
    -A KUBE-SVC-ERIFXISQEP7F7OF4 -j KUBE-SEP-H7FN6LU3RSH6CC2T
    COMMIT

How to fix:
    Remove the rule, or narrow it so that it leaves Service traffic alone. `ipt-explain trace` shows the whole way of
    one such connection. Where the rule stands in a chain of kube-proxy's, restart kube-proxy, which writes its chains
    anew.

When to ignore:
    When the rule is there to keep this traffic from the Service.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Faults, RulesetContext, Severity, rule
from ipt_explain.audit.evidence.losses import Where, causes, fault_of

_FIX = "Remove the rule or narrow it; ipt-explain trace shows the whole way of such a connection."


@rule("IPT117", "service-traffic-lost", Severity.ERROR, reads_absence=True, catch_all=True)
def service_traffic_lost(context: RulesetContext) -> Faults:
    """One fault for each cause."""
    for cause in causes(context):
        if cause.where is Where.ELSEWHERE:
            yield fault_of(cause, _FIX)
