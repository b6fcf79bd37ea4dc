"""Under policy Local, pods or the node itself do not reach all endpoints.

What it checks:
    If KUBE-EXT (KUBE-XLB up to 1.23) marks the node's own connections, it also leads them to KUBE-SVC. If other
    Services' chains lead pods there, this one does too. KUBE-EXT is not empty.

Why it matters:
    The policy is for connections from outside. Without these rules the node or its pods, using the Service's external
    addresses, reach only endpoints of this node, or none.

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
    -A KUBE-EXT-NPX46M4PTMTKRN6Y -m comment --comment "masquerade LOCAL traffic for default/kubernetes:https
      LoadBalancer IP" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
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
    When the dump was filtered and such rules were left out.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Faults, RulesetContext, Severity, rule
from ipt_explain.audit.evidence.services.broken_paths import PathFault, broken_paths
from ipt_explain.audit.evidence.services.path_faults import CAUSES, path_faults

_EFFECTS = {
    PathFault.NO_NODE_ROUTE: "{chain} marks the node's own connections but does not lead them to all endpoints: they "
    "reach only endpoints on this node, or none",
    PathFault.NO_POD_ROUTE: "{chain} does not lead pods to all endpoints, as other Services' chains do: their "
    "connections are treated as outside ones and reach only endpoints on this node, or none",
    PathFault.EMPTY: "{chain} has no rules: connections to {what} from pods and the node itself, which should reach "
    "all endpoints, are refused like those from outside",
}


@rule("IPT521", "policy-local-inside", Severity.WARNING, evidence=broken_paths, reads_absence=True, yields_to=CAUSES)
def policy_local_inside(context: RulesetContext) -> Faults:
    """One fault for each such chain and client."""
    return path_faults(context, _EFFECTS)
