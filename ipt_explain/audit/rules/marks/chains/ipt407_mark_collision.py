"""Another program's rule sets, clears or acts on the bit that marks packets for masquerading.

What it checks:
    No MARK or CONNMARK rule outside kube-proxy's chains has a mask that covers the masquerade bit. Rules that set the
    bit are reported anywhere on a packet's way; rules that clear it, between the mark and KUBE-POSTROUTING (FORWARD in
    any table, filter and security OUTPUT, mangle and nat POSTROUTING). Rules that drop packets with the bit are
    reported too. Masks count, not values: `--set-mark 0x1` writes all 32 bits.

Why it matters:
    If another program sets the bit, packets are masqueraded that should not be. If it clears the bit, connections to
    node ports and load balancers, and pods that connect to themselves, get no usable reply; this is an error if no
    Service's mark survives. Both come and go with the other program's traffic.

Example:
    *mangle
    :FORWARD ACCEPT [0:0]
    -A FORWARD -i eth0 -j MARK --set-xmark 0x1/0xffffffff
    COMMIT
    *nat
    :POSTROUTING ACCEPT [0:0]
    :KUBE-MARK-MASQ - [0:0]
    -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
    COMMIT

How to fix:
    Give the rule a mask that leaves the bit alone (`--set-xmark 0x1/0x1`), or choose another --iptables-masquerade-bit.

When to ignore:
    When the rule never matches Service traffic.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.marks.collisions import Collision, MarkCollision, mark_collisions
from ipt_explain.audit.evidence.marks.marking import masquerade_marking
from ipt_explain.netfilter.marks import single_bit
from ipt_explain.services.health import unmasqueraded_services

_EFFECTS = {
    Collision.SETS: "sets mark 0x{bit:x}, kube-proxy's masquerade mark: packets that it matches lose their source",
    Collision.CLEARS: "clears mark 0x{bit:x} on Service packets: they are not masqueraded, and replies bypass this "
    "node",
    Collision.DROPS: "drops packets with mark 0x{bit:x}, kube-proxy's masquerade mark: Service traffic is lost",
}
# Where a mark that kube-proxy set in PREROUTING or OUTPUT can still be lost.
_AFTER_MARK = {
    ("mangle", "FORWARD"), ("filter", "FORWARD"), ("security", "FORWARD"), ("filter", "OUTPUT"), ("security", "OUTPUT"),
    ("mangle", "POSTROUTING"), ("nat", "POSTROUTING"),
}  # fmt: skip


@rule("IPT407", "mark-collision", Severity.WARNING, about=("KUBE-MARK-MASQ",), gathers=True)
def mark_collision(context: RulesetContext) -> Faults:
    """One fault for each such rule."""
    marking = masquerade_marking(context)
    if marking is None or not single_bit(marking.result):
        return
    bit = marking.result
    none_masqueraded = bool(unmasqueraded_services(context.services))
    for found in mark_collisions(context.by_shape, bit):
        if _matters(context, found):
            yield Fault(
                f"this rule {_EFFECTS[found.collision].format(bit=bit)}",
                f"Use a mask without 0x{bit:x} here, or give kube-proxy another --iptables-masquerade-bit.",
                at_rule(found.rule),
                related=(marking.settings[-1].rule.line,),
                severity=Severity.ERROR if found.collision is Collision.CLEARS and none_masqueraded else None,
            )


def _matters(context: RulesetContext, found: MarkCollision) -> bool:
    """Whether the rule is on the way of packets whose mark counts."""
    graph = context.graph(found.table)
    if graph is None:
        return False
    leading = graph.leading_to(found.rule.chain)
    if found.collision is Collision.CLEARS:
        return any((found.table, name) in _AFTER_MARK for name in leading)
    return not context.complete or any(name in leading for name in graph.hooks)
