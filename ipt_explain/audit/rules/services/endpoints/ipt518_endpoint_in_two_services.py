"""One pod's port is an endpoint of several Services.

What it checks:
    Addresses and ports that more than one Service has as an endpoint are counted. Several ports of one Service do not
    count.

Why it matters:
    This is usually intended. But it reveals Services whose selectors match more pods than they should, and it explains
    why a pod gets more than its Service's share of connections.

Example:
    -A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp cluster IP" -m tcp
      --dport 53 -j KUBE-SVC-ERIFXISQEP7F7OF4
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-AAAAAAAAAAAAAAAA
    -A KUBE-SVC-ERIFXISQEP7F7OF4 -j KUBE-SEP-BBBBBBBBBBBBBBBB
    -A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m tcp -j DNAT --to-destination 10.244.1.9:53
    -A KUBE-SEP-BBBBBBBBBBBBBBBB -p tcp -m tcp -j DNAT --to-destination 10.244.1.9:53

How to fix:
    No fix needed if this is intended. Otherwise narrow the selector of one of the Services.

When to ignore:
    When the Services are several names for the same pods.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.balancers import first_few
from ipt_explain.audit.evidence.balancing.endpoint_chains import endpoint_chains
from ipt_explain.audit.evidence.services.overlaps import shared_backends


@rule("IPT518", "endpoint-in-two-services", Severity.INFO, evidence=shared_backends, yields_to=("IPT510",))
def endpoint_in_two_services(context: RulesetContext) -> Faults:
    """One note for a ruleset."""
    shared = shared_backends(context)
    if shared:
        endpoints, first = endpoint_chains(context), shared[0]
        dnats = [endpoints.dnat(chain) for chain, at in endpoints.destinations.items() if at == first.destination]
        dnats.sort(key=lambda dnat: dnat.line)
        count = "1 endpoint belongs" if len(shared) == 1 else f"{len(shared)} endpoints belong"
        yield Fault(
            f"{count} to more than one Service: {first.destination} to {first_few(first.services)}",
            "No fix needed if this is intended; otherwise narrow one Service's selector.",
            at_rule(dnats[0], focus=first.destination),
            service=first.services[0],
            related=tuple(dnat.line for dnat in dnats[1:]),
        )
