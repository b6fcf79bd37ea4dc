"""A NetworkPolicy engine drops connections to a Service.

What it checks:
    A new connection to a Service is not dropped or refused by a chain of Calico, Cilium, kube-router, Weave Net, Antrea
    or Azure NPM. Connections are sent through the dump as for IPT117. If such a chain stops some, a note says which
    Services are hit; if it cuts off all Services, cluster DNS or the API server, that is a warning.

Why it matters:
    Dropping traffic is what these chains are for, and usually intended. If it is not, start here. No policy is meant to
    cut off all Services: either the engine failed, or a policy for all pods forgot DNS.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :KUBE-POD-FW-AAAAAAAAAAAAAAAA - [0:0]
    -A FORWARD -d 10.244.2.2/32 -j KUBE-POD-FW-AAAAAAAAAAAAAAAA
    -A KUBE-POD-FW-AAAAAAAAAAAAAAAA -j REJECT --reject-with icmp-port-unreachable
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
    Check the NetworkPolicies that select the endpoints' pods, and their ingress rules.

When to ignore:
    When the policy is meant to drop this traffic.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import BackendContext, Faults, Severity, service_rule
from ipt_explain.audit.evidence.losses.causes import causes, cuts_off_all
from ipt_explain.audit.evidence.losses.faults import fault_of
from ipt_explain.audit.evidence.losses.lossy import lossy_fates
from ipt_explain.audit.evidence.losses.places import LossPlace

_FIX = "Check the NetworkPolicies that select the endpoints' pods."


@service_rule("IPT118", "policy-drops", Severity.INFO, evidence=lossy_fates, reads_absence=True)
def policy_drops(context: BackendContext) -> Faults:
    """One fault for each rule of such an engine."""
    for cause in causes(context, LossPlace.POLICY):
        yield fault_of(cause, _FIX, severity=Severity.WARNING if cuts_off_all(cause) else Severity.INFO)
