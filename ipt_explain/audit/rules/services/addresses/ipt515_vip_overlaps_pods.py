"""A Service's address is in the pod network, or cannot be reached at all.

What it checks:
    No address of a Service is in the pod network (the network in `! -s CIDR`, whose connections are not masqueraded),
    and none is 0.0.0.0, loopback, link-local or multicast.

Why it matters:
    An address in the pod network also belongs to a pod, now or later. Connections to that pod's port then go to the
    Service instead, on every node.

Example:
    -A KUBE-SERVICES -d 10.244.0.10/32 -p tcp -m comment --comment "shop/web cluster IP" -m tcp --dport 80
      -j KUBE-SVC-E3PXEPMWAWIUT6ZV
    -A KUBE-SVC-E3PXEPMWAWIUT6ZV ! -s 10.244.0.0/16 -d 10.244.0.10/32 -p tcp -m comment
      --comment "shop/web cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
    -A KUBE-SVC-E3PXEPMWAWIUT6ZV -j KUBE-SEP-BBBBBBBBBBBBBBBB

How to fix:
    Use separate networks for Services (--service-cluster-ip-range) and pods (--cluster-cidr).

When to ignore:
    When --cluster-cidr is wider than the pod network on purpose.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.services.overlaps import BadVip, Overlap, bad_vips
from ipt_explain.words import counted


@rule("IPT515", "vip-overlaps-pods", Severity.ERROR, evidence=bad_vips)
def vip_overlaps_pods(context: RulesetContext) -> Faults:
    """One fault for each network and kind of address, at its first Service."""
    by_reason: dict[str, list[Fault]] = {}
    for bad in bad_vips(context):
        by_reason.setdefault(bad.why, []).append(_fault(bad))
    for found in by_reason.values():
        first, others = found[0], len(found) - 1
        yield Fault(
            first.message + (f"; the same is true of {counted(others, 'other address')}" if others else ""),
            first.help,
            first.at,
            related=tuple(fault.at.line for fault in found[1:] if fault.at.line is not None),
            severity=first.severity,
        )


def _fault(bad: BadVip) -> Fault:
    severity = None
    if bad.layout is Overlap.SERVICES_ALONE:
        effect = (
            "no endpoint does, so --cluster-cidr was set to the Services' range: connections from pods are "
            "treated as outside ones and masqueraded"
        )
        fix = "Set kube-proxy's --cluster-cidr to the pod network."
    elif bad.layout is Overlap.ALL_SERVICES:
        effect = "so are all Services' addresses, as some platforms lay out their ranges"
        fix = "No fix needed on such a platform."
        severity = Severity.INFO
    elif bad.layout is Overlap.MIXED:
        effect = "a pod that gets the address loses its connections to the Service"
        fix = "Use separate networks for Services and pods."
    else:
        effect, fix = "no client can reach it as a Service", "Give the Service another address."
    return Fault(
        f"{bad.host}, the address of a Service, {bad.why}: {effect}",
        fix,
        at_rule(bad.rule, focus=f"-d {bad.host}"),
        severity=severity,
    )
