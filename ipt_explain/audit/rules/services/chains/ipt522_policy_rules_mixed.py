"""A chain for connections from outside mixes rules of policy Cluster and policy Local.

What it checks:
    KUBE-EXT ends in KUBE-SVC if it masquerades connections from everywhere (policy Cluster), and in KUBE-SVL if it
    masquerades only the node's own (policy Local).

Why it matters:
    Either connections from outside reach only endpoints of this node, though the Service wants all of them, or they
    reach other nodes' endpoints without being masqueraded, and replies may not come back.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-EXT-NPX46M4PTMTKRN6Y - [0:0]
    :KUBE-MARK-MASQ - [0:0]
    :KUBE-NODEPORTS - [0:0]
    :KUBE-SEP-QAI6IJGEKZYOMWSX - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    :KUBE-SVL-NPX46M4PTMTKRN6Y - [0:0]
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-EXT-NPX46M4PTMTKRN6Y -m comment --comment "masquerade traffic for default/kubernetes:https external
      destinations" -j KUBE-MARK-MASQ
    -A KUBE-EXT-NPX46M4PTMTKRN6Y -j KUBE-SVL-NPX46M4PTMTKRN6Y
    -A KUBE-NODEPORTS -p tcp -m comment --comment "default/kubernetes:https" -m tcp --dport 30443
      -j KUBE-EXT-NPX46M4PTMTKRN6Y
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -s 192.168.50.10/32 -j KUBE-MARK-MASQ
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    -A KUBE-SVL-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    COMMIT

How to fix:
    Restart kube-proxy on the node: it rewrites the rules.

When to ignore:
    Some distributions send outside clients to all endpoints if policy Local finds none on the node: that is only a
    note.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Faults, RulesetContext, Severity, rule
from ipt_explain.audit.evidence.services.broken_paths import PathFault, broken_paths
from ipt_explain.audit.evidence.services.path_faults import CAUSES, path_faults

_EFFECTS = {
    PathFault.WRONG_TAIL: "{chain} masquerades connections from everywhere, as under policy Cluster, but leads them "
    "only to endpoints on this node: the others get none from outside",
    PathFault.LOST_POLICY: "{chain} has the rules of policy Local, but sends outside clients to all endpoints: they "
    "are not masqueraded, and replies from other nodes may not come back",
}


@rule("IPT522", "policy-rules-mixed", Severity.WARNING, evidence=broken_paths, reads_absence=True, yields_to=CAUSES)
def policy_rules_mixed(context: RulesetContext) -> Faults:
    """One fault for each such chain."""
    # Some distributions fall back to all endpoints on purpose.
    return path_faults(context, _EFFECTS, notes=(PathFault.LOST_POLICY,))
