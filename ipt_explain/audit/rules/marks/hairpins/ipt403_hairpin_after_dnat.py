"""An endpoint chain marks the endpoint's own connections after the DNAT, so no packet gets there.

What it checks:
    In each endpoint chain (KUBE-SEP-…) the jump to KUBE-MARK-MASQ comes before the DNAT.

Why it matters:
    DNAT ends a packet's way through the nat table, so a mark after it is never set. The endpoint's connections to its
    own Service hang when they come back to it, unless other rules masquerade them.

Example:
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/kubernetes:https" -j KUBE-SEP-QAI6IJGEKZYOMWSX
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m comment --comment "default/kubernetes:https" -m tcp -j DNAT
      --to-destination 192.168.50.10:6443
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -s 192.168.50.10/32 -m comment --comment "default/kubernetes:https" -j KUBE-MARK-MASQ

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.hairpins import HairpinFault, hairpins


@rule("IPT403", "hairpin-after-dnat", Severity.ERROR, evidence=hairpins, gathers=True)
def hairpin_after_dnat(context: RulesetContext) -> Faults:
    """One fault for each such endpoint."""
    for broken in hairpins(context):
        if broken.fault is HairpinFault.LATE:
            address, covered = broken.endpoint.address, broken.endpoint.hairpin is True
            late = "the mark comes after the DNAT and is never set"
            yield Fault(
                f"{late}: {address} reaches itself through the Service only as other rules masquerade it"
                if covered
                else f"{address} cannot reach itself through the Service: {late}",
                "Put the rule before the DNAT, or restart kube-proxy on this node.",
                at_rule(broken.rule),
                service=broken.service.label,
                related=(broken.endpoint.rule.line,),
                severity=Severity.WARNING if covered else None,
            )
