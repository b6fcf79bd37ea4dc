"""KUBE-POSTROUTING masquerades too little, too much, or leaves the mark on.

What it checks:
    Packets with the mark are masqueraded and (1.19 and later) lose the mark; packets without it pass. ipt-explain sends
    both through KUBE-POSTROUTING to see, and pods' connections to themselves through each Service. The single rule of
    older releases is right too, unless a later kube-proxy wrote the other chains.

Why it matters:
    Without the guard at the start, every connection that leaves the node is masqueraded: Services see one client, and
    pods lose each other's addresses. With a broken chain nothing is masqueraded: connections to node ports and load
    balancers, and pods that connect to themselves, get no reply. A mark that stays on counts again when the packet is
    wrapped in VXLAN: the outer packet is masqueraded too, which on some kernels means bad checksums and a delay of 63
    seconds.

Example:
    *nat
    :KUBE-POSTROUTING - [0:0]
    -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
    -A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
    COMMIT

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.

When to ignore:
    When nothing leads to the chain any more.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import POSTROUTING
from ipt_explain.audit.authoring import (
    Fault,
    Faults,
    Location,
    RulesetContext,
    Severity,
    at_rule,
    at_rule_or_chain,
    restart,
    rule,
)
from ipt_explain.audit.evidence.marks.marking import is_marked, masquerade_marking
from ipt_explain.audit.evidence.marks.postrouting import Postrouting, postrouting
from ipt_explain.audit.evidence.node.writer import writer
from ipt_explain.model import Rule
from ipt_explain.netfilter.marks import single_bit
from ipt_explain.records import replace
from ipt_explain.services.fates import Decider
from ipt_explain.words import counted

_FIX = restart("rewrites KUBE-POSTROUTING")
_SHOWN = 16
_DEFAULT_BIT = 0x4000
# kube-proxy 1.19 and the patch releases of 1.16 to 1.18 of that time brought the form of three rules.
_THREE_RULES_SINCE = 20


@rule("IPT408", "postrouting-malformed", Severity.ERROR, about=("KUBE-POSTROUTING",), since=2, yields_to=("IPT405",))
def postrouting_malformed(context: RulesetContext) -> Faults:
    """At most one fault; all rules of the chain show it."""
    snat = postrouting(context)
    for fault in [*_faults(context)] or _kept(context):
        yield replace(fault, related=tuple(member.line for member in snat.chain.rules[:_SHOWN]) if snat else ())


def _faults(context: RulesetContext) -> Faults:
    snat = postrouting(context)
    if snat is None or not context.knows_chain(snat.chain) or not (snat.chain.rules or is_marked(context)):
        return
    bit = _bit(context, snat)
    marked, unmarked = snat.path(bit), snat.path(0)
    if not marked.masqueraded:
        yield _not_masqueraded(snat, marked.decided, bit)
    elif unmarked.masqueraded:
        yield Fault(
            "KUBE-POSTROUTING masquerades every connection that leaves the node, marked or not: to pods and Services, "
            "every client looks like this node",
            _FIX,
            at_rule_or_chain(unmarked.decided, snat.chain),
        )
    elif marked.mark and snat.guarded:
        yield _mark_left(snat, bit, marked.mark, marked.decided)
    elif not snat.guarded and writer(context).since(_THREE_RULES_SINCE):
        yield Fault(
            "KUBE-POSTROUTING has the one rule of releases before 1.19, but a later kube-proxy wrote the other chains: "
            "the mark stays on, so wrapped packets (VXLAN, IPIP) are masqueraded twice",
            _FIX,
            at_rule_or_chain(marked.decided, snat.chain),
            severity=Severity.WARNING,
        )
    elif len(snat.masquerading) > 1 and _mixed(snat):
        yield Fault(
            "KUBE-POSTROUTING has rules of two releases: kubelet and kube-proxy of different versions write it",
            "Bring kubelet and kube-proxy to the same release, or restart kube-proxy: it rewrites the chain.",
            at_rule(snat.masquerading[-1]),
            severity=Severity.INFO,
        )


def _kept(context: RulesetContext) -> Faults:
    """The rules that keep connections to some Services from being masqueraded, which others of the chain do."""
    kept: dict[Decider, list[str]] = {}
    for service in context.services:
        why = service.masquerade.kept
        if why is not None and why.decider.chain == POSTROUTING and why.decider.ruleset == context.number:
            kept.setdefault(why.decider, []).append(service.label)
    for decider, labels in kept.items():
        if decider.is_rule:
            yield Fault(
                "this rule keeps marked connections from being masqueraded: pods cannot reach themselves through "
                f"{counted(len(labels), 'service port')}",
                _FIX,
                Location(decider.chain, decider.line, decider.text),
                services=tuple(labels),
                key="kept",
            )


def _bit(context: RulesetContext, snat: Postrouting) -> int:
    """The bit that marked packets carry: the one tested, as IPT405 compares it with the one set."""
    if single_bit(snat.tested):
        return snat.tested
    marking = masquerade_marking(context)
    return marking.result if marking is not None and single_bit(marking.result) else _DEFAULT_BIT


def _not_masqueraded(snat: Postrouting, decided: Rule | None, bit: int) -> Fault:
    lost = "connections to node ports, load balancers and a pod's own Service hang"
    partial = [
        rule for rule in snat.conditional if rule.target in ("MASQUERADE", "SNAT") and not rule.shape.has_match("set")
    ]
    if partial:
        return Fault(
            f"KUBE-POSTROUTING masquerades only some packets with mark 0x{bit:x}: other {lost}",
            _FIX,
            at_rule(partial[0]),
        )
    why = "is empty" if not snat.chain.rules else "does not masquerade"
    if decided is not None:
        why = f"sends packets with mark 0x{bit:x} to {decided.target} instead of masquerading them"
    return Fault(f"KUBE-POSTROUTING {why}: {lost}", _FIX, at_rule_or_chain(decided, snat.chain))


def _mark_left(snat: Postrouting, bit: int, left: int, decided: Rule | None) -> Fault:
    toggles = [rule for rule in snat.chain.rules if rule.target == "MARK"]
    at = at_rule(toggles[0]) if toggles else at_rule_or_chain(decided, snat.chain)
    if left & bit:
        message = f"KUBE-POSTROUTING leaves mark 0x{bit:x} on packets: wrapped ones (VXLAN, IPIP) are masqueraded twice"
        if left != bit:
            message += f", and it sets mark 0x{left & ~bit:x}"
    else:
        message = f"KUBE-POSTROUTING sets mark 0x{left:x} on masqueraded packets; it should clear 0x{bit:x}"
    return Fault(message, _FIX, at, severity=Severity.WARNING)


def _mixed(snat: Postrouting) -> bool:
    """Whether a rule with its own mark test masquerades next to the form of three rules."""
    return snat.guarded and any(rule.shape.has_match("mark") for rule in snat.masquerading)
