"""One port of a Service lacks an address, or a node port, that all its other ports have.

What it checks:
    All ports of a Service have the same addresses, and either all have node ports or none has.

Why it matters:
    Connections to this port of that address leave the node untranslated and are never answered.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-EXT-ERIFXISQEP7F7OF4 - [0:0]
    :KUBE-EXT-JD5MR3NA4I4DYORP - [0:0]
    :KUBE-SEP-QAI6IJGEKZYOMWSX - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-ERIFXISQEP7F7OF4 - [0:0]
    :KUBE-SVC-JD5MR3NA4I4DYORP - [0:0]
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-EXT-ERIFXISQEP7F7OF4 -j KUBE-SVC-ERIFXISQEP7F7OF4
    -A KUBE-EXT-JD5MR3NA4I4DYORP -j KUBE-SVC-JD5MR3NA4I4DYORP
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 10.244.0.5:53
    -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp cluster IP" -m tcp
      --dport 53 -j KUBE-SVC-ERIFXISQEP7F7OF4
    -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:metrics cluster IP" -m tcp
      --dport 9153 -j KUBE-SVC-JD5MR3NA4I4DYORP
    -A KUBE-SERVICES -d 203.0.113.7/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp external IP" -m tcp
      --dport 53 -j KUBE-EXT-ERIFXISQEP7F7OF4
    -A KUBE-SVC-ERIFXISQEP7F7OF4 -j KUBE-SEP-QAI6IJGEKZYOMWSX
    -A KUBE-SVC-JD5MR3NA4I4DYORP -j KUBE-SEP-QAI6IJGEKZYOMWSX
    COMMIT

How to fix:
    Restart kube-proxy on the node: it rewrites the rules.

When to ignore:
    When the dump was filtered and such rules were left out.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import RESTART_RULES, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.services.broken_paths import UnequalPorts, unequal_ports
from ipt_explain.audit.evidence.services.path_faults import CAUSES
from ipt_explain.services.ports import FrontendKind


@rule(
    "IPT527", "address-missing-on-port", Severity.WARNING, evidence=unequal_ports, reads_absence=True, yields_to=CAUSES
)
def address_missing_on_port(context: RulesetContext) -> Faults:
    """One fault for each service port and address."""
    return map(_fault, unequal_ports(context))


def _fault(unequal: UnequalPorts) -> Fault:
    service, other = unequal.service, unequal.others[0]
    lacks = "node port" if unequal.kind is FrontendKind.NODE_PORT else f"rule for {unequal.lacks}"
    return Fault(
        f"this port has no {lacks}, but {'the other port' if len(unequal.others) == 1 else 'all other ports'} of "
        f"its Service {'does' if len(unequal.others) == 1 else 'do'}: connections to it leave the node untranslated",
        RESTART_RULES,
        at_rule(service.frontends[0].rule),
        service=service.label,
        related=tuple(frontend.rule.line for frontend in unequal.others),
        key=f"{other.kind.value} {unequal.lacks}",
    )
