"""A rule masquerades connections that kube-proxy does not, so Services do not see their clients.

What it checks:
    Pods' connections to ClusterIPs keep their source on the way to other pods, unless kube-proxy runs with
    --masquerade-all. So do connections from outside to node ports and external addresses where
    externalTrafficPolicy is Local. The audit reports a rule in kube-proxy's chains or in POSTROUTING that certainly
    masquerades such connections, or marks them for masquerading. It does not report a network plugin's rules for
    connections that leave the pod network, or rules for some interfaces or some pods only. IPT416 reports a pod network
    that does not contain the pods.

Why it matters:
    The Service's pods see an address of this node instead of the client's: logs and allow-lists are wrong,
    NetworkPolicies that select client pods do not match, and connections use up ports of the node.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :POSTROUTING ACCEPT [0:0]
    :KUBE-MARK-MASQ - [0:0]
    :KUBE-POSTROUTING - [0:0]
    :KUBE-SEP-H7FN6LU3RSH6CC2T - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-ERIFXISQEP7F7OF4 - [0:0]
    -A PREROUTING -j KUBE-SERVICES
    -A POSTROUTING -j KUBE-POSTROUTING
    -A POSTROUTING -s 10.244.0.0/16 -j MASQUERADE
    -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
    -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
    -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
    -A KUBE-POSTROUTING -j MASQUERADE --random-fully
    -A KUBE-SEP-H7FN6LU3RSH6CC2T -s 10.244.2.2/32 -j KUBE-MARK-MASQ
    -A KUBE-SEP-H7FN6LU3RSH6CC2T -p tcp -m tcp -j DNAT --to-destination 10.244.2.2:53
    -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp cluster IP" -m tcp
      --dport 53 -j KUBE-SVC-ERIFXISQEP7F7OF4
    -A KUBE-SVC-ERIFXISQEP7F7OF4 ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p tcp -m tcp --dport 53 -j KUBE-MARK-MASQ
    -A KUBE-SVC-ERIFXISQEP7F7OF4 -j KUBE-SEP-H7FN6LU3RSH6CC2T
    COMMIT

How to fix:
    If the rule is in one of kube-proxy's chains, restart kube-proxy, which rewrites them. Otherwise, make the rule
    leave out connections between pods, as in `-s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE`.

When to ignore:
    If pods on other nodes cannot reply to this node's pods directly, and masquerading is on purpose.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import is_kube_chain
from ipt_explain.audit.authoring import RESTART_RULES, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.marks.hidden_clients import HidingRule, hidden_clients


@rule(
    "IPT417",
    "clients-hidden",
    Severity.WARNING,
    evidence=hidden_clients,
    yields_to=("IPT402", "IPT404", "IPT405", "IPT407", "IPT408", "IPT409"),
)
def clients_hidden(context: RulesetContext) -> Faults:
    """One fault a rule."""
    return map(_fault, hidden_clients(context))


def _fault(found: HidingRule) -> Fault:
    own = is_kube_chain(found.rule.chain)
    return Fault(
        found.words,
        RESTART_RULES if own else "Leave connections between pods out of the rule, or remove it.",
        at_rule(found.rule),
        services=found.labels,
    )
