"""The filter table refuses an address of a Service that the nat table sends to endpoints.

What it checks:
    No address, protocol and port has both a REJECT or DROP of kube-proxy in the filter table and a path to endpoints in
    the nat table.

Why it matters:
    The nat table comes first and changes the destination, so the refusal never matches. Connections go to endpoints
    that may be gone: one of the two rules is out of date.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :KUBE-SERVICES - [0:0]
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https has no endpoints" -m tcp
      --dport 443 -j REJECT --reject-with icmp-port-unreachable
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SEP-QAI6IJGEKZYOMWSX - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    COMMIT

How to fix:
    Restart kube-proxy on the node: it rewrites both tables.

When to ignore:
    During a sync, which writes one table after the other.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, restart, rule
from ipt_explain.audit.evidence.filter.refusals import refusals
from ipt_explain.services.ports import FrontendKind, FrontendVerdict
from ipt_explain.words import front


@rule("IPT506", "reject-and-balance", Severity.WARNING, evidence=refusals)
def reject_and_balance(context: RulesetContext) -> Faults:
    """One fault for each such address."""
    found = refusals(context)
    for service, frontend in context.frontends:
        if frontend.verdict is not FrontendVerdict.BALANCE:
            continue
        host = None if frontend.kind is FrontendKind.NODE_PORT else frontend.address
        refusal = found.get((host, service.protocol, str(frontend.port)))
        if refusal is not None:
            yield Fault(
                f"{front(host, frontend.port)} is refused here ({refusal.target}), but the nat table sends it "
                "to endpoints first: the refusal never matches, and one of the two is out of date",
                restart("rewrites both tables"),
                at_rule(refusal),
                service=service.label,
                related=(frontend.rule.line,),
            )
