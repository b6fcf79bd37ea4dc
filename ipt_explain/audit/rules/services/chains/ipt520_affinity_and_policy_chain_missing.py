"""An address of a Service does not lead all the way to endpoints.

What it checks:
    KUBE-EXT and KUBE-FW lead to the Service's endpoints. Under policy Local, KUBE-EXT may lack its last jump if the
    node has no endpoint.

Why it matters:
    Connections to such an address leave the node untranslated and are never answered.

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
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-EXT-NPX46M4PTMTKRN6Y -m comment --comment "masquerade traffic for default/kubernetes:https external
      destinations" -j KUBE-MARK-MASQ
    -A KUBE-NODEPORTS -p tcp -m comment --comment "default/kubernetes:https" -m tcp --dport 30443
      -j KUBE-EXT-NPX46M4PTMTKRN6Y
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -s 192.168.50.10/32 -j KUBE-MARK-MASQ
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
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
    PathFault.NO_TAIL: "{chain} sends outside clients to no endpoint: connections to {what} leave the node "
    "untranslated, and nothing answers them",
}


@rule(
    "IPT520",
    "affinity-and-policy-chain-missing",
    Severity.ERROR,
    evidence=broken_paths,
    reads_absence=True,
    yields_to=CAUSES,
)
def affinity_and_policy_chain_missing(context: RulesetContext) -> Faults:
    """One fault for each service port and chain."""
    return path_faults(context, _EFFECTS)
