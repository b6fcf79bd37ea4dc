"""A rule ahead of kube-proxy's takes Service traffic.

What it checks:
    Connections to every Service's addresses are tried against the rules ahead of KUBE-SERVICES in nat PREROUTING and
    OUTPUT, and in raw and mangle, chains of other programs included: does one accept, translate, drop, or keep
    connection tracking off them? What a dump leaves open (sets, processes, outgoing interfaces) is taken not to match.
    NodeLocal DNSCache's own rules are left alone. A DROP policy in raw or mangle is reported too.

Why it matters:
    These connections never get to the Service: a port forward or host port with the same number as a node port takes
    its clients, an ACCEPT in nat lets ClusterIPs leave untranslated, NOTRACK takes them out of NAT altogether.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A PREROUTING -d 10.96.0.0/12 -j ACCEPT
    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    COMMIT

How to fix:
    Narrow the rule so that it leaves out the Service's address and port, or put it behind the jump to KUBE-SERVICES.

When to ignore:
    When the rule is there to take this traffic, as a node's own DNS cache or a transparent proxy may.
"""

from __future__ import annotations

from ipt_explain.analyzers.interception import Interception
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, at_rule, rule
from ipt_explain.audit.evidence.hooks import intercepted
from ipt_explain.words.addresses import front
from ipt_explain.words.lists import listed

_FIX = "Narrow the rule so that it leaves Services out, or put it behind the jump to KUBE-SERVICES."
_NAMED = 3


@rule("IPT106", "services-shadowed", Severity.ERROR, about=("PREROUTING", "OUTPUT", "INPUT", "FORWARD", "POSTROUTING"))
def services_shadowed(context: RulesetContext) -> Faults:
    """One fault for each rule that takes Service traffic, and for each policy that drops it."""
    for found in intercepted(context):
        if found.rule is None:
            yield Fault(
                f"{found.table} {found.chain.name} drops by its policy what its rules do not accept, Service traffic "
                "included",
                f"Set the policy back: iptables -t {found.table} -P {found.chain.name} ACCEPT.",
                at_chain(found.chain),
            )
        else:
            yield Fault(
                _message(found, found.rule.target or ""),
                _FIX,
                at_rule(found.rule),
                service=found.victims[0][0].label if len(found.victims) == 1 else None,
                related=tuple(frontend.rule.line for _, frontend in found.victims),
                severity=Severity.WARNING if found.partly else None,
            )


_DOES = {
    "ACCEPT": "lets {what} pass untranslated",
    "RETURN": "lets {what} pass untranslated",
    "DROP": "drops {what}",
    "REJECT": "refuses {what}",
    "CT": "takes {what} out of connection tracking and so out of NAT",
    "NOTRACK": "takes {what} out of connection tracking and so out of NAT",
}


def _message(found: Interception, target: str) -> str:
    names = [f"{service.label} ({front(frontend.address, frontend.port)})" for service, frontend in found.victims]
    some = "from some sources or interfaces " if found.partly else ""
    what = f"connections {some}to {listed(names, _NAMED, 'address')}"
    does = _DOES.get(target, "sends {what} elsewhere").format(what=what)
    return f"this rule {does}, before KUBE-SERVICES sees them"
