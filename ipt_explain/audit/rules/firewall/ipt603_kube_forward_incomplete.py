"""KUBE-FORWARD does not accept all the Service traffic that it should.

What it checks:
    KUBE-FORWARD accepts packets with the masquerade mark and packets of known connections (RELATED,ESTABLISHED). From
    1.18 on that means all known connections; before, those from and to --cluster-cidr, or none if kube-proxy runs
    without it. Only a chain that the dump shows in full is checked.

Why it matters:
    On nodes whose FORWARD policy is DROP, as Docker sets it, these rules let Service traffic pass. Without the first,
    masqueraded connections lose their first packet; without the second, replies are dropped.

Example:
    *filter
    :FORWARD DROP [0:0]
    :KUBE-FORWARD - [0:0]
    -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
    -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
    -A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack
      --ctstate RELATED,ESTABLISHED -j ACCEPT
    COMMIT

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.

When to ignore:
    When FORWARD accepts all of this traffic elsewhere.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule_or_chain, restart, rule
from ipt_explain.audit.evidence.filter.kube_forward import forwarding
from ipt_explain.audit.evidence.node.writer import writer

_FIX = restart("rewrites KUBE-FORWARD")


@rule("IPT603", "kube-forward-incomplete", Severity.WARNING, about=("KUBE-FORWARD",), since=9, yields_to=("IPT001",))
def kube_forward_incomplete(context: RulesetContext) -> Faults:
    """One fault for each kind of traffic that is not accepted."""
    found = forwarding(context)
    if found is None or not context.knows_chain(found.chain):
        return
    policy = _policy(context)
    if not found.accepts_marked:
        yield Fault(
            f"KUBE-FORWARD does not accept packets with the masquerade mark: {policy} decides about the first "
            "packet of each masqueraded connection",
            _FIX,
            at_rule_or_chain(found.near_marked, found.chain),
            key="mark",
        )
    if not found.accepts_known and (writer(context).since(18) or found.near_known is not None):
        yield Fault(
            f"KUBE-FORWARD does not accept all packets of known connections: {policy} decides about replies to Service "
            "traffic",
            _FIX,
            at_rule_or_chain(found.near_known, found.chain),
            key="state",
        )


def _policy(context: RulesetContext) -> str:
    chain = context.chain("filter", "FORWARD")
    if chain is None or chain.policy is None:
        return "the rest of FORWARD"
    return f"the rest of FORWARD (policy {chain.policy})"
