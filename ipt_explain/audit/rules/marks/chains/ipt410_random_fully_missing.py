"""Masquerading without --random-fully: two connections may race for one source port.

What it checks:
    From 1.16 on, kube-proxy masquerades with --random-fully if its iptables (1.6.2 or later) knows the option.

Why it matters:
    Without it the kernel tries source ports in order, and two connections that start at once from this node to one
    address may choose the same port. The loser's first packet is dropped (`insert_failed` in `conntrack -S`) and sent
    again after 1 to 3 seconds.

Example:
    *nat
    :KUBE-PROXY-CANARY - [0:0]
    :KUBE-POSTROUTING - [0:0]
    -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
    -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
    -A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE
    COMMIT

How to fix:
    Use a kube-proxy image with iptables 1.6.2 or later.

When to ignore:
    When the node opens few connections.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.marks.postrouting import postrouting
from ipt_explain.audit.evidence.node.writer import writer


@rule("IPT410", "random-fully-missing", Severity.INFO, about=("KUBE-POSTROUTING",), since=16)
def random_fully_missing(context: RulesetContext) -> Faults:
    """At most one fault."""
    snat = postrouting(context)
    if snat is None or not writer(context).since(16):
        return
    for masquerading in snat.masquerading:
        if masquerading.shape.target_option("--random-fully") is None and not masquerading.shape.has_match("set"):
            yield Fault(
                "KUBE-POSTROUTING masquerades without --random-fully: two connections that start at once may choose "
                "the same source port, and one loses its first packet",
                "Use a kube-proxy image with iptables 1.6.2 or later.",
                at_rule(masquerading, focus="MASQUERADE"),
            )
            return
