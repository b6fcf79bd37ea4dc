"""Packets marked for dropping are not dropped: KUBE-MARK-DROP or KUBE-FIREWALL does not work.

What it checks:
    If rules lead to KUBE-MARK-DROP (up to 1.24), that chain sets a bit, and KUBE-FIREWALL in filter drops packets with
    it. IPT109 checks that packets reach KUBE-FIREWALL. In a dump without any of kubelet's chains this is only a note:
    kubelet writes both, so such dumps come from test set-ups.

Why it matters:
    kube-proxy up to 1.24 relies on this mark to drop clients outside loadBalancerSourceRanges, and connections to a
    Service with externalTrafficPolicy Local that has no local endpoint. kubelet 1.27 and later no longer writes the
    chain: next to an older kube-proxy, source ranges silently stop working.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :KUBE-FIREWALL - [0:0]
    -A KUBE-FIREWALL -m comment --comment "kubernetes firewall for dropping marked packets" -m mark
      --mark 0x8000/0x8000 -j DROP
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-FW-GHM4BSQCAU6W7P6S - [0:0]
    :KUBE-MARK-DROP - [0:0]
    -A KUBE-FW-GHM4BSQCAU6W7P6S -m comment --comment "shop/cart:http loadbalancer IP" -j KUBE-MARK-DROP
    COMMIT

How to fix:
    Keep kubelet at most two releases newer than kube-proxy. Or upgrade kube-proxy to 1.25 or later, which needs no mark
    to drop.

When to ignore:
    When no Service has source ranges or externalTrafficPolicy Local.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, Location, RulesetContext, Severity, at_chain, at_rule, rule
from ipt_explain.audit.evidence.filter.kube_firewall import Enforcement, drop_enforcement
from ipt_explain.audit.evidence.marks.marking import drop_marking
from ipt_explain.audit.evidence.node.writer import writer

_FIX = "Restart kubelet, which up to 1.26 writes both chains, or upgrade kube-proxy to 1.25, which needs neither."
_LOST = "source ranges, and drops for lack of local endpoints, have no effect"


@rule("IPT413", "drop-mark-unenforced", Severity.ERROR, until=24, reads_absence=True)
def drop_mark_unenforced(context: RulesetContext) -> Faults:
    """At most one fault."""
    marking = drop_marking(context)
    graph = context.graph("nat") if marking is not None else None
    if marking is None or graph is None or not graph.is_called(marking.chain.name):
        return
    calls = graph.calling_rules(marking.chain.name)
    related = tuple(call.line for call in calls[:_NAMED])
    severity = None if writer(context).kubelet else Severity.INFO
    if not marking.result:
        at = at_rule(marking.chain.rules[0]) if marking.chain.rules else at_chain(marking.chain)
        why = "sets no mark" if marking.chain.rules else "is empty"
        lead = "1 rule leads" if len(calls) == 1 else f"{len(calls)} rules lead"
        yield Fault(f"KUBE-MARK-DROP {why}, but {lead} to it: {_LOST}", _FIX, at, None, related, severity)
        return
    last = marking.settings[-1]
    if last.change.clear & ~last.change.flip or last.change.toggles:
        yield Fault(
            f"KUBE-MARK-DROP does more than set mark 0x{marking.result:x}: it wipes other marks on the packets, or a "
            "second pass clears the mark",
            _FIX,
            at_rule(last.rule),
            related=related,
            severity=Severity.WARNING,
            key="more",
        )
    if not context.knows_table("filter"):
        return
    enforcement = drop_enforcement(context.ruleset, marking.result)
    if not enforcement.dropped:
        at = _place(enforcement, marking.settings[-1].rule.line)
        sets = "1 rule sets" if len(calls) == 1 else f"{len(calls)} rules set"
        message = f"nothing drops mark 0x{marking.result:x}, which {sets}: {_LOST}"
        if enforcement.near is not None:
            message = f"KUBE-FIREWALL does not drop all packets with mark 0x{marking.result:x}: {_LOST}"
        yield Fault(message, _FIX, at, related=(marking.settings[-1].rule.line, *related), severity=severity)


_NAMED = 100


def _place(enforcement: Enforcement, fallback: int) -> Location:
    if enforcement.near is not None:
        return at_rule(enforcement.near)
    if enforcement.chain is not None:
        return at_chain(enforcement.chain)
    return Location("KUBE-MARK-DROP", fallback)
