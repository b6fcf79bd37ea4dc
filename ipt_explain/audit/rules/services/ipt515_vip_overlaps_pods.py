"""A Service's address is one of the pods' network, or one that cannot be reached at all.

What it checks:
    No address of a Service lies in the network from which its connections are not masqueraded (`! -s CIDR`: the pods'),
    and none is 0.0.0.0, loopback, link-local or multicast.

Why it matters:
    An address in the pods' network is a pod's as well, now or later: connections to that pod's port go to the Service
    instead, on every node.

Example:
    -A KUBE-SERVICES -d 10.244.0.10/32 -p tcp -m comment --comment "shop/web cluster IP" -m tcp --dport 80
      -j KUBE-SVC-E3PXEPMWAWIUT6ZV
    -A KUBE-SVC-E3PXEPMWAWIUT6ZV ! -s 10.244.0.0/16 -d 10.244.0.10/32 -p tcp -m comment
      --comment "shop/web cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
    -A KUBE-SVC-E3PXEPMWAWIUT6ZV -j KUBE-SEP-BBBBBBBBBBBBBBBB

How to fix:
    Use networks apart for Services (--service-cluster-ip-range) and pods (--cluster-cidr).

When to ignore:
    When --cluster-cidr was set wider than the pods' network on purpose.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.services.facts import front_rules
from ipt_explain.audit.evidence.services.overlaps import bad_vips


@rule("IPT515", "vip-overlaps-pods", Severity.ERROR, about=("KUBE-SERVICES", "KUBE-NODEPORTS"), yields_to=("IPT502",))
def vip_overlaps_pods(context: RulesetContext) -> Faults:
    """One fault for each network and kind of address, at its first Service."""
    by_reason: dict[str, list[tuple[str, Fault]]] = {}
    for bad in bad_vips(front_rules(context), context.services):
        effect = (
            "a pod that gets the address loses its connections to the Service"
            if bad.network is not None
            else "no client can reach it as a Service"
        )
        fault = Fault(
            f"{bad.host}, the address of a Service, {bad.why}: {effect}",
            "Use networks apart for Services and pods." if bad.network else "Give the Service another address.",
            at_rule(bad.rule, focus=f"-d {bad.host}"),
        )
        by_reason.setdefault(bad.why, []).append((bad.host, fault))
    for found in by_reason.values():
        first = found[0][1]
        yield Fault(
            first.message + (f"; so do {len(found) - 1} others" if len(found) > 1 else ""),
            first.help,
            first.at,
            related=tuple(fault.at.line for _, fault in found[1:] if fault.at.line is not None),
        )
