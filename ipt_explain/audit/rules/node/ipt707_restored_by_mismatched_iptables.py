"""A Kubernetes rule has lost the match that its comment describes.

What it checks:
    Rules whose comment says what they are for still have the matching condition: the mark in "kubernetes firewall for
    dropping marked packets" and "kubernetes forwarding rules", the loopback addresses in "block incoming localnet
    connections", the connection state in "kubernetes forwarding conntrack rule".

Why it matters:
    The rule now applies to every packet. Without its mark, KUBE-FIREWALL drops everything in and out, and the node
    falls off the network. This happens when an older release saves and restores rules that iptables 1.8.8 or later
    wrote, as kube-router and some distributions' services did: the older tool drops matches that it does not
    understand.

Example:
    -A KUBE-FIREWALL -m comment --comment "kubernetes firewall for dropping marked packets" -j DROP

How to fix:
    Delete the rule; kubelet or kube-proxy rewrites it. Then use one release of iptables on the node and in all
    containers that save and restore rules.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.node.lost_matches import find_lost_matches


@rule("IPT707", "restored-by-mismatched-iptables", Severity.ERROR, about=("KUBE-FIREWALL", "KUBE-FORWARD"))
def restored_by_mismatched_iptables(context: RulesetContext) -> Faults:
    """One fault for each such rule."""
    for damaged, lost in find_lost_matches(context.ruleset):
        yield Fault(
            f'"{damaged.comment}" has lost its {lost}: {damaged.target} now applies to every packet in {damaged.chain}',
            "Delete the rule, and use one release of iptables wherever rules are saved and restored.",
            at_rule(damaged),
        )
