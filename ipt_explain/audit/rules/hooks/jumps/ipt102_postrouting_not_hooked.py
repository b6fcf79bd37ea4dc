"""Marked packets are never masqueraded: nat POSTROUTING does not jump to KUBE-POSTROUTING.

What it checks:
    If nat has a KUBE-POSTROUTING chain with rules, POSTROUTING leads to it, directly or through another chain. If rules
    mark packets for masquerading, KUBE-POSTROUTING exists.

Why it matters:
    KUBE-MARK-MASQ only marks packets; KUBE-POSTROUTING rewrites their source. Without the jump, replies bypass this
    node and the client cannot use them. This hits connections to a node port whose pod runs on another node,
    connections from a load balancer, and pods that connect to themselves.

Example:
    *nat
    :POSTROUTING ACCEPT [0:0]
    :KUBE-MARK-MASQ - [0:0]
    :KUBE-POSTROUTING - [0:0]
    -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
    -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
    -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
    -A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
    COMMIT

How to fix:
    Restart kube-proxy on the node: at start it writes the hook again.

When to ignore:
    Never while kube-proxy serves this node.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import MARK_MASQ, POSTROUTING
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, restart, rule
from ipt_explain.audit.evidence.hooks.hook_states import hooks

_LOST = (
    "marked packets keep their source, so connections to load balancers, to node ports with pods on other nodes and "
    "from a pod to itself hang"
)
_FIX = restart("writes KUBE-POSTROUTING and the jump to it")


@rule("IPT102", "postrouting-not-hooked", Severity.ERROR, since=2, reads_absence=True)
def postrouting_not_hooked(context: RulesetContext) -> Faults:
    """At most one fault a ruleset."""
    for state in hooks(context):
        if state.hook.chain == POSTROUTING and state.missing:
            message = f"nat POSTROUTING does not jump to KUBE-POSTROUTING: {_LOST}"
            yield Fault(message, _FIX, state.lacking, related=state.unreached)
    nat = context.table("nat")
    if nat is None or POSTROUTING in nat.chains or context.is_called("nat", POSTROUTING):
        return
    marking = nat.chains.get(MARK_MASQ)
    if marking is not None and context.is_called("nat", MARK_MASQ):
        yield Fault(f"nat marks packets but has no KUBE-POSTROUTING chain: {_LOST}", _FIX, at_chain(marking))
