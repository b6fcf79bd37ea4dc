"""KUBE-MARK-MASQ does not set exactly one bit on every packet.

What it checks:
    KUBE-MARK-MASQ sets exactly one bit on every packet and leaves all other bits alone. Only a chain that the dump
    shows in full is checked. An empty chain is reported if rules lead to it; a missing one is IPT001.

Why it matters:
    Everything that needs masquerading goes through this chain: connections to node ports and load balancers,
    connections from outside the pod network, and pods that connect to themselves. Without the mark they all keep their
    source, and replies bypass this node. A rule that flips the bit (mask 0) clears it again on the second pass. A rule
    that writes more bits wipes other programs' marks.

Example:
    *nat
    :KUBE-MARK-MASQ - [0:0]
    :KUBE-SEP-QAI6IJGEKZYOMWSX - [0:0]
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -s 192.168.50.10/32 -j KUBE-MARK-MASQ
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443
    COMMIT

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.

When to ignore:
    When nothing leads to the chain any more.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import MARK_MASQ
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, at_rule, restart, rule
from ipt_explain.audit.evidence.marks.marking import Marking, MarkRule, is_marked, masquerade_marking
from ipt_explain.netfilter.marks import single_bit

_FIX = restart("rewrites KUBE-MARK-MASQ")
_LOST = "connections to node ports, from outside the pod network and from a pod to itself are not masqueraded"


@rule("IPT404", "mark-chain-broken", Severity.ERROR, about=("KUBE-MARK-MASQ",), since=2, yields_to=("IPT406",))
def mark_chain_broken(context: RulesetContext) -> Faults:
    """At most one fault: the first that the packets meet."""
    marking = masquerade_marking(context)
    if marking is None or not context.knows_chain(marking.chain):
        return
    if not marking.settings and not marking.chain.rules and not is_marked(context):
        return
    if not marking.settings:
        yield _sets_nothing(marking)
        return
    last = marking.settings[-1]
    why = _fault_of(last, marking)
    if why is not None:
        others = tuple(setting.rule.line for setting in marking.settings[:-1])
        yield Fault(f"KUBE-MARK-MASQ {why}", _FIX, at_rule(last.rule), related=others)


def _sets_nothing(marking: Marking) -> Fault:
    if marking.cut is not None:
        why = f"sends packets to {marking.cut.target} before it marks any: {_LOST}"
        return Fault(f"KUBE-MARK-MASQ {why}", _FIX, at_rule(marking.cut))
    if marking.conditional:
        why = f"marks only some packets: other {_LOST}"
        return Fault(f"KUBE-MARK-MASQ {why}", _FIX, at_rule(marking.conditional[0]))
    if marking.strange:
        why = f"sets no mark ({marking.strange[0].target} does not): {_LOST}"
        return Fault(f"KUBE-MARK-MASQ {why}", _FIX, at_rule(marking.strange[0]))
    return Fault(f"{MARK_MASQ} is empty and marks nothing: {_LOST}", _FIX, at_chain(marking.chain))


def _fault_of(setting: MarkRule, marking: Marking) -> str | None:
    change, result = setting.change, marking.result
    if result == 0:
        return f"leaves packets without any mark: {_LOST}"
    if not single_bit(result):
        return (
            f"sets {result.bit_count()} bits (0x{result:x}): a rule that tests for one of the others matches all of "
            "these packets"
        )
    if change.toggles:
        return "flips the bit instead of setting it: a packet marked twice is not masqueraded"
    if change.clear & ~change.flip:
        return f"clears bits 0x{change.clear & ~change.flip:x} too: other programs' marks on Service packets are lost"
    return None
