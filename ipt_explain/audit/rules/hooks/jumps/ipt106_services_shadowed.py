"""A rule before kube-proxy's takes Service traffic.

What it checks:
    New connections to every Service with endpoints reach KUBE-SERVICES; ipt-explain sends them through the dump. If a
    rule or policy in nat PREROUTING or OUTPUT, in raw or mangle, or in a chain that these lead to takes them first, it
    is reported. The severity depends on the effect (see IPT117); a rule that hits only some sources or interfaces is a
    warning. Losses that depend on anything else that the dump does not show are not reported, nor are programs that
    answer for Services themselves, such as NodeLocal DNSCache.

Why it matters:
    These connections never reach the Service. A port forward or host port with the same number as a node port takes its
    clients, an ACCEPT in nat lets ClusterIPs leave untranslated, and NOTRACK skips NAT altogether.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :KUBE-SEP-QAI6IJGEKZYOMWSX - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A PREROUTING -d 10.96.0.0/12 -j ACCEPT
    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    COMMIT

How to fix:
    Narrow the rule so that it does not match the Service's address and port. A rule of table nat may also move after
    the jump to KUBE-SERVICES.

When to ignore:
    When the rule is meant to take this traffic, like a node's DNS cache or a transparent proxy.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Faults, RulesetContext, Severity, rule
from ipt_explain.audit.evidence.losses.causes import Cause, by_source_alone, causes, possible_causes
from ipt_explain.audit.evidence.losses.faults import FIX_POLICY, fault_of
from ipt_explain.audit.evidence.losses.lossy import lossy_fates
from ipt_explain.audit.evidence.losses.places import LossPlace

_NARROW = "Narrow the rule so that it does not match Services"
_FIX = f"{_NARROW}, or move it after the jump to KUBE-SERVICES."


@rule("IPT106", "services-shadowed", Severity.ERROR, evidence=lossy_fates, reads_absence=True)
def services_shadowed(context: RulesetContext) -> Faults:
    """One fault for each rule that takes Service traffic, and for each policy that drops it."""
    partly = filter(by_source_alone, possible_causes(context, LossPlace.AHEAD))
    for cause in (*causes(context, LossPlace.AHEAD), *partly):
        yield fault_of(cause, _fix(cause))


def _fix(cause: Cause) -> str:
    """What to do. kube-proxy's jump is in nat, so a rule of another table cannot move after it."""
    if cause.is_policy:
        return FIX_POLICY
    return _FIX if cause.decider.table == "nat" else f"{_NARROW}."
