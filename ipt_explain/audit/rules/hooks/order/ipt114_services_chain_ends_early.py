"""A rule in KUBE-SERVICES takes packets from the Services after it.

What it checks:
    In nat KUBE-SERVICES each rule leads one address and port to its Service. A rule is reported if it ends the chain in
    another way (ACCEPT, RETURN, DNAT, a goto, …), or leads to a Service whatever the destination, and matches packets
    of Services after it. Only destination, protocol and port count. IPVS mode writes the chain differently and is not
    checked.

Why it matters:
    The Services after the rule get none of those packets: connections leave untranslated, or reach the wrong pods.

Example:
    -A KUBE-SERVICES -j RETURN
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y

How to fix:
    Delete the rule. kube-proxy rewrites the chain at every sync, so put rules of your own elsewhere.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.hooks.services_chain import Ender, services_chain


@rule("IPT114", "services-chain-ends-early", Severity.ERROR, evidence=(services_chain, "enders"), yields_to=("IPT502",))
def services_chain_ends_early(context: RulesetContext) -> Faults:
    """One fault for each such rule that has Services after it."""
    for ender in services_chain(context).enders:
        if ender.lost:
            yield Fault(
                _message(context, ender),
                "Delete the rule and restart kube-proxy on this node: it rewrites the chain.",
                at_rule(ender.rule),
                service=context.service_of(ender.rule.target or ""),
                related=tuple(lost.line for lost in ender.lost),
            )


def _message(context: RulesetContext, ender: Ender) -> str:
    first, count = ender.lost[0], len(ender.lost)
    name = context.service_of(first.target or "") or first.target
    rules = f"the rule for {name}" if count == 1 else f"{count} rules for Services, the first for {name}"
    taken = "all packets" if ender.unconditional else "some packets"
    return f"KUBE-SERVICES ends early: this rule ({ender.rule.target}) takes {taken} before {rules}"
