"""One bit means both: masquerade this packet, and drop it.

What it checks:
    KUBE-MARK-MASQ and KUBE-MARK-DROP set different bits, and KUBE-FIREWALL drops no packet for the masquerade mark.

Why it matters:
    KUBE-FIREWALL drops packets with the drop mark. If that is also the masquerade mark, every packet to be masqueraded
    is dropped on this node, or every packet to be dropped is masqueraded and let through.

Example:
    -A KUBE-MARK-DROP -j MARK --set-xmark 0x4000/0x4000
    -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000

How to fix:
    Set different values for --iptables-drop-bit and --iptables-masquerade-bit in kubelet, and the same masquerade bit
    in kube-proxy; the defaults are 15 and 14.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.filter.kube_firewall import mark_drops
from ipt_explain.audit.evidence.marks.marking import drop_marking, masquerade_marking

_FIX = (
    "Give kubelet different --iptables-drop-bit and --iptables-masquerade-bit (15 and 14 by default), and restart it."
)


@rule("IPT414", "drop-mark-is-masquerade-mark", Severity.ERROR, about=("KUBE-MARK-MASQ",), until=26)
def drop_mark_is_masquerade_mark(context: RulesetContext) -> Faults:
    """At most one fault: at the rule that sets the drop mark, otherwise at the rule that drops packets with it."""
    masquerade, drop = masquerade_marking(context), drop_marking(context)
    if masquerade is None or not masquerade.settings:
        return
    first = masquerade.settings[-1].rule
    if drop is not None and drop.settings and drop.result & masquerade.result:
        common = drop.result & masquerade.result
        yield Fault(
            f"KUBE-MARK-DROP and KUBE-MARK-MASQ both set 0x{common:x}: packets to be masqueraded are dropped, or "
            "those to be dropped are masqueraded",
            _FIX,
            at_rule(drop.settings[-1].rule),
            related=(first.line,),
        )
        return
    for test in mark_drops(context.ruleset):
        if masquerade.result and test.passes(masquerade.result):
            yield Fault(
                f"KUBE-FIREWALL drops packets with mark 0x{masquerade.result:x}, which KUBE-MARK-MASQ sets: node "
                "ports, load balancers and all masqueraded traffic fail",
                _FIX,
                at_rule(test.rule),
                related=(first.line,),
            )
