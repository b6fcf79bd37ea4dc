"""An endpoint chain masquerades connections from the wrong address, not from its endpoint.

What it checks:
    In each endpoint chain (KUBE-SEP-…) the rule that leads to KUBE-MARK-MASQ matches the address in the chain's DNAT.

Why it matters:
    The endpoint cannot reach itself through the Service: such connections hang. Connections from the wrong address are
    masqueraded and lose their source.

Example:
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/kubernetes:https" -j KUBE-SEP-QAI6IJGEKZYOMWSX
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -s 192.168.50.99/32 -m comment --comment "default/kubernetes:https" -j KUBE-MARK-MASQ
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m comment --comment "default/kubernetes:https" -m tcp -j DNAT
      --to-destination 192.168.50.10:6443

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.

When to ignore:
    When addresses were replaced in the dump before it was shared.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.hairpins import HairpinFault, hairpins
from ipt_explain.model import Rule


@rule("IPT402", "hairpin-wrong-address", Severity.ERROR, evidence=hairpins, yields_to=("IPT504",), gathers=True)
def hairpin_wrong_address(context: RulesetContext) -> Faults:
    """One fault for each such endpoint."""
    for broken in hairpins(context):
        if broken.fault is HairpinFault.ADDRESS:
            address = broken.endpoint.address
            alone = "" if broken.endpoint.hairpin else f", and {address} cannot reach itself through the Service"
            yield Fault(
                f"the chain leads to {address}, but masquerades connections {_source(broken.rule)}: these lose their "
                f"source{alone}",
                f"Restart kube-proxy on this node; the rule should say -s {address}.",
                at_rule(broken.rule, focus=f"-s {broken.rule.core('-s')}"),
                service=broken.service.label,
                related=(broken.endpoint.rule.line,),
            )


def _source(marking: Rule) -> str:
    option = marking.shape.core_option("-s")
    if option is None:
        return "from anywhere"
    return f"from anywhere but {marking.first(option)}" if option.negated else f"from {marking.first(option)}"
