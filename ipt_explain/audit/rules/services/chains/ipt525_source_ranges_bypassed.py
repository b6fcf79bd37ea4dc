"""A load balancer's address bypasses the chain that checks its source ranges.

What it checks:
    If a service port has KUBE-FW, its load balancer's addresses lead there.

Why it matters:
    Clients that loadBalancerSourceRanges keep out get through by this address.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-EXT-NPX46M4PTMTKRN6Y - [0:0]
    :KUBE-FW-NPX46M4PTMTKRN6Y - [0:0]
    :KUBE-MARK-DROP - [0:0]
    :KUBE-MARK-MASQ - [0:0]
    :KUBE-SEP-QAI6IJGEKZYOMWSX - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-EXT-NPX46M4PTMTKRN6Y -m comment --comment "masquerade traffic for default/kubernetes:https external
      destinations" -j KUBE-MARK-MASQ
    -A KUBE-EXT-NPX46M4PTMTKRN6Y -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-FW-NPX46M4PTMTKRN6Y -s 10.0.0.0/8 -j KUBE-EXT-NPX46M4PTMTKRN6Y
    -A KUBE-FW-NPX46M4PTMTKRN6Y -j KUBE-MARK-DROP
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -s 192.168.50.10/32 -j KUBE-MARK-MASQ
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SERVICES -d 203.0.113.7/32 -p tcp -m comment --comment "default/kubernetes:https loadbalancer IP" -m tcp
      --dport 443 -j KUBE-FW-NPX46M4PTMTKRN6Y
    -A KUBE-SERVICES -d 203.0.113.8/32 -p tcp -m comment --comment "default/kubernetes:https loadbalancer IP" -m tcp
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
    PathFault.BYPASS: "{what} leads to {target} and bypasses the source range check: clients from everywhere get "
    "through",
}


@rule("IPT525", "source-ranges-bypassed", Severity.ERROR, evidence=broken_paths, reads_absence=True, yields_to=CAUSES)
def source_ranges_bypassed(context: RulesetContext) -> Faults:
    """One fault for each service port and chain."""
    return path_faults(context, _EFFECTS)
