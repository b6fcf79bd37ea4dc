"""KUBE-FORWARD does not drop INVALID packets first.

What it checks:
    The first rule of KUBE-FORWARD (iptables mode, 1.15 and later) drops packets in connection state INVALID. From 1.29
    on kube-proxy leaves it out if nf_conntrack_tcp_be_liberal is set, which a dump does not show.

Why it matters:
    Packets that connection tracking considers INVALID (late retransmissions on a loaded node) are not translated back.
    The client gets them from the pod's own address and answers with a reset, so healthy connections break at random.

Example:
    *filter
    :FORWARD ACCEPT [0:0]
    :KUBE-FORWARD - [0:0]
    :KUBE-NODEPORTS - [0:0]
    :KUBE-PROXY-FIREWALL - [0:0]
    :KUBE-SERVICES - [0:0]
    -A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
    -A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack
      --ctstate RELATED,ESTABLISHED -j ACCEPT
    COMMIT

How to fix:
    No fix needed if `sysctl net.netfilter.nf_conntrack_tcp_be_liberal` is 1. Otherwise restart kube-proxy on the node.

When to ignore:
    When nf_conntrack_tcp_be_liberal is set: kube-proxy 1.29 and later then leaves the rule out.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import SERVICES
from ipt_explain.audit.authoring import (
    Fault,
    Faults,
    RulesetContext,
    Severity,
    at_rule,
    at_rule_or_chain,
    restart,
    rule,
)
from ipt_explain.audit.evidence.filter.kube_forward import forwarding
from ipt_explain.audit.evidence.hooks.hook_states import hooks
from ipt_explain.audit.evidence.node.writer import writer


@rule("IPT604", "invalid-drop", Severity.INFO, about=("KUBE-FORWARD",), since=15)
def invalid_drop(context: RulesetContext) -> Faults:
    """At most one fault."""
    found, by = forwarding(context), writer(context)
    if found is None or not context.knows_chain(found.chain) or by.ipvs or by.mode is None:
        return
    if found.invalid_drop is None and (by.since(16) or _hooked_as_since_14(context)):
        yield Fault(
            "KUBE-FORWARD does not drop INVALID packets: replies that conntrack considers invalid reach "
            "clients untranslated, and reset a connection now and then",
            "Restart kube-proxy, unless nf_conntrack_tcp_be_liberal is set on this node: then 1.29 and later leave "
            "it out.",
            at_rule_or_chain(found.near_invalid, found.chain),
        )
    elif found.invalid_drop is not None and found.invalid_late:
        yield Fault(
            "KUBE-FORWARD drops INVALID packets only after accepting others: marked ones pass untranslated",
            restart("writes this rule first"),
            at_rule(found.invalid_drop),
        )


def _hooked_as_since_14(context: RulesetContext) -> bool:
    """Whether FORWARD jumps to KUBE-SERVICES, as kube-proxy 1.14 and later have it do."""
    return any(
        state.hook.built_in == "FORWARD" and state.hook.chain == SERVICES and state.rules for state in hooks(context)
    )
