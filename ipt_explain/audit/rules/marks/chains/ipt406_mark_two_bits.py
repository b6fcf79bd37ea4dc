"""KUBE-MARK-MASQ sets two different bits: two programs with different settings write it.

What it checks:
    All MARK rules in KUBE-MARK-MASQ set the same bit. A repeated line, which kubelet may leave, is harmless.

Why it matters:
    kubelet (up to 1.26) and kube-proxy both write this chain. If their --iptables-masquerade-bit differ, each appends
    its own rule and packets carry both bits. Each restart of either program changes what is masqueraded.

Example:
    -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
    -A KUBE-MARK-MASQ -j MARK --set-xmark 0x20000/0x20000

How to fix:
    Give both the same --iptables-masquerade-bit and restart kube-proxy.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.marks.marking import masquerade_marking
from ipt_explain.netfilter.marks import single_bit
from ipt_explain.words import both


@rule("IPT406", "mark-two-bits", Severity.WARNING, about=("KUBE-MARK-MASQ",), since=2, until=26)
def mark_two_bits(context: RulesetContext) -> Faults:
    """At most one fault, at the last of the rules."""
    marking = masquerade_marking(context)
    if marking is None:
        return
    bits = {setting.change.flip for setting in marking.settings}
    if len(bits) > 1 and all(map(single_bit, bits)):
        *others, last = marking.settings
        words = both([f"0x{bit:x}" for bit in sorted(bits)])
        yield Fault(
            f"KUBE-MARK-MASQ sets marks {words}: packets carry both, so they are masqueraded and also match rules "
            "for the other bit",
            "Give kubelet and kube-proxy the same --iptables-masquerade-bit and restart kube-proxy.",
            at_rule(last.rule),
            related=tuple(setting.rule.line for setting in others),
        )
