"""An address of a Service leads to a chain for another kind of address.

What it checks:
    A ClusterIP leads to KUBE-SVC or KUBE-SVL. Node ports and external IPs do not lead to KUBE-FW. A node port does not
    bypass KUBE-EXT, and nothing from outside leads straight to KUBE-SVL.

Why it matters:
    Connections are masqueraded needlessly, not masqueraded when they should be, or limited to this node's endpoints.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-EXT-NPX46M4PTMTKRN6Y - [0:0]
    :KUBE-MARK-MASQ - [0:0]
    :KUBE-SEP-QAI6IJGEKZYOMWSX - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-EXT-NPX46M4PTMTKRN6Y -m comment --comment "masquerade traffic for default/kubernetes:https external
      destinations" -j KUBE-MARK-MASQ
    -A KUBE-EXT-NPX46M4PTMTKRN6Y -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -s 192.168.50.10/32 -j KUBE-MARK-MASQ
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-EXT-NPX46M4PTMTKRN6Y
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    COMMIT

How to fix:
    Restart kube-proxy on the node: it rewrites the rules.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Faults, RulesetContext, Severity, rule
from ipt_explain.audit.evidence.services.broken_paths import PathFault, broken_paths
from ipt_explain.audit.evidence.services.path_faults import CAUSES, path_faults

_EFFECTS = {
    PathFault.ROLE: "{what} leads to {target}, a chain for other addresses: connections are masqueraded or limited to "
    "this node's endpoints, against the Service's policy",
}


@rule(
    "IPT524", "wrong-chain-for-address", Severity.WARNING, evidence=broken_paths, reads_absence=True, yields_to=CAUSES
)
def wrong_chain_for_address(context: RulesetContext) -> Faults:
    """One fault for each service port and chain."""
    return path_faults(context, _EFFECTS)
