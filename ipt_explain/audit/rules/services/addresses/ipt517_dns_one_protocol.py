"""The cluster's DNS is served over one protocol only.

What it checks:
    A Service with `dns` in its name that serves port 53 over UDP also serves it over TCP at the same address, and vice
    versa. It is a warning if kube-dns serves TCP only.

Why it matters:
    Clients repeat a query over TCP if the answer does not fit a UDP packet, and that fails. Without UDP nearly all
    lookups fail.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SEP-BBBBBBBBBBBBBBBB - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-TCOU7JCQXEZGVUNU - [0:0]
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-SEP-BBBBBBBBBBBBBBBB -p udp -m udp -j DNAT --to-destination 10.244.1.9:53
    -A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp
      --dport 53 -j KUBE-SVC-TCOU7JCQXEZGVUNU
    -A KUBE-SVC-TCOU7JCQXEZGVUNU -j KUBE-SEP-BBBBBBBBBBBBBBBB
    COMMIT

How to fix:
    Add the missing port to the Service.

When to ignore:
    When clients do not use this Service to resolve names.
"""

from __future__ import annotations

from collections import defaultdict

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.services.vital import is_vital
from ipt_explain.services.ports import ServicePort

_DNS = 53


@rule("IPT517", "dns-one-protocol", Severity.INFO, reads_absence=True)
def dns_one_protocol(context: RulesetContext) -> Faults:
    """One note for each such Service; a warning if the cluster's own DNS lacks UDP."""
    by_name: dict[tuple[str | None, str], dict[str, ServicePort]] = defaultdict(dict)
    for service in context.services:
        if service.port == _DNS and service.name is not None and "dns" in service.name and service.frontends:
            by_name[service.namespace, service.name].setdefault(service.protocol, service)
    for protocols in by_name.values():
        if len(protocols) == 1:
            protocol, service = next(iter(protocols.items()))
            front = service.frontends[0].rule
            grave = protocol != "udp" and is_vital(service)
            missing = "TCP: answers too long for UDP fail" if protocol == "udp" else "UDP: nearly all lookups fail"
            yield Fault(
                f"{service.cluster_ip}:{_DNS} is served over {protocol.upper()} only, not over {missing}",
                "Add the missing port to the Service.",
                at_rule(front),
                service=service.label,
                severity=Severity.WARNING if grave else None,
            )
