"""KUBE-FIREWALL is not reached: INPUT or OUTPUT does not jump to it.

What it checks:
    If filter has a KUBE-FIREWALL chain with rules, INPUT and OUTPUT lead to it.

Why it matters:
    The chain drops packets that KUBE-MARK-DROP marked (source ranges and missing local endpoints, up to 1.24). It also
    drops packets from other hosts to 127.0.0.0/8, which route_localnet would otherwise let in (CVE-2020-8558).

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :KUBE-FIREWALL - [0:0]
    -A OUTPUT -j KUBE-FIREWALL
    -A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections"
      -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
    COMMIT

How to fix:
    Restart kubelet (and kube-proxy from 1.27 on): both write the hooks at start.

When to ignore:
    When route_localnet is off and no rule marks packets for dropping.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import FIREWALL
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, rule
from ipt_explain.audit.evidence.hooks.hook_states import missing_hooks

_EFFECTS = {
    "INPUT": "packets that arrive marked for dropping, or for 127.0.0.0/8 from another host, are let in",
    "OUTPUT": "the node's own packets marked for dropping are let out",
}


@rule("IPT109", "kube-firewall-not-hooked", Severity.WARNING, evidence=missing_hooks, reads_absence=True)
def kube_firewall_not_hooked(context: RulesetContext) -> Faults:
    """One fault for each built-in chain without the hook."""
    for state in missing_hooks(context):
        if state.hook.chain == FIREWALL:
            name = state.hook.built_in
            yield Fault(
                f"filter {name} does not jump to KUBE-FIREWALL: {_EFFECTS[name]}",
                "Restart kubelet and kube-proxy on this node: at start they write the hooks.",
                state.lacking,
                related=state.unreached,
            )
