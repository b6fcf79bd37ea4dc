"""Another rule masquerades or accepts marked Service traffic before KUBE-POSTROUTING.

What it checks:
    In nat POSTROUTING no rule takes a pod-to-pod packet with the masquerade mark before the jump to KUBE-POSTROUTING.
    Rules that leave marked packets alone, like the first rules of flannel and OpenShift, are fine.

Why it matters:
    If the other rule is an ACCEPT or RETURN, nothing masquerades the packet: replies go to the client directly, which
    does not know their source, and a pod that reaches itself through its Service hangs. This is an error. A MASQUERADE
    or SNAT leaves the mark on, so the packet is masqueraded again when it is wrapped in VXLAN or IPIP.

Example:
    *nat
    :POSTROUTING ACCEPT [0:0]
    :KUBE-MARK-MASQ - [0:0]
    :KUBE-POSTROUTING - [0:0]
    :KUBE-SEP-H7FN6LU3RSH6CC2T - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-ERIFXISQEP7F7OF4 - [0:0]
    -A POSTROUTING -j MASQUERADE
    -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
    -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
    -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
    -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
    -A KUBE-POSTROUTING -j MASQUERADE --random-fully
    -A KUBE-SEP-H7FN6LU3RSH6CC2T -s 10.244.2.2/32 -j KUBE-MARK-MASQ
    -A KUBE-SEP-H7FN6LU3RSH6CC2T -p tcp -m tcp -j DNAT --to-destination 10.244.2.2:53
    -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp cluster IP" -m tcp
      --dport 53 -j KUBE-SVC-ERIFXISQEP7F7OF4
    -A KUBE-SVC-ERIFXISQEP7F7OF4 -j KUBE-SEP-H7FN6LU3RSH6CC2T
    COMMIT

How to fix:
    Move the rule after the jump to KUBE-POSTROUTING, or put a RETURN for marked packets (-m mark --mark 0x4000/0x4000)
    before it.

When to ignore:
    When this node wraps no packets and the rule uses this node's address as source.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import POSTROUTING
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.hooks.hook_states import hooks
from ipt_explain.audit.evidence.marks.earlier_snat import earlier_snat
from ipt_explain.audit.evidence.marks.hidden_clients import hidden_clients
from ipt_explain.audit.evidence.marks.marking import masquerade_marking

_AGAIN = "mark 0x{mark:x} stays on, and wrapped packets (VXLAN, IPIP) are masqueraded again"
_NOT_AT_ALL = "it keeps its source, so replies may bypass this node, and a pod cannot reach itself through its Service"


@rule("IPT409", "earlier-nat-in-postrouting", Severity.WARNING, about=("POSTROUTING",), since=2)
def earlier_nat_in_postrouting(context: RulesetContext) -> Faults:
    """At most one fault: the first such rule."""
    marking = masquerade_marking(context)
    if marking is None or not marking.result:
        return
    for state in hooks(context):
        if state.hook.chain == POSTROUTING and state.rules and state.built_in is not None:
            if state.rules[0].line == state.built_in.line_of(0):
                continue  # nothing comes before it
            taken = earlier_snat(context, marking.result)
            if taken is not None:
                masquerades = taken.rule.target in ("MASQUERADE", "SNAT")
                some = " from some sources" if taken.partly else ""
                hiding = next((each for each in hidden_clients(context) if each.rule.line == taken.rule.line), None)
                does = f"{'masquerades' if masquerades else 'takes'} marked Service traffic{some}"
                yield Fault(
                    (f"this rule {does}" if hiding is None else f"{hiding.words}; it also {does}")
                    + f" before KUBE-POSTROUTING ({taken.rule.target}): "
                    + (_AGAIN.format(mark=marking.result) if masquerades else _NOT_AT_ALL),
                    "Move the rule after the jump to KUBE-POSTROUTING, or put a RETURN for marked packets before it.",
                    at_rule(taken.rule),
                    related=(state.rules[0].line,),
                    services=() if hiding is None else hiding.labels,
                    severity=None if masquerades or taken.partly else Severity.ERROR,
                )
