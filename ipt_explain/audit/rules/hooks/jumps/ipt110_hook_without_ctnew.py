"""A filter hook of kube-proxy takes every packet, not just new connections: slow but correct.

What it checks:
    From 1.11 on, kube-proxy limits the filter table's jumps to KUBE-SERVICES, KUBE-EXTERNAL-SERVICES and
    KUBE-PROXY-FIREWALL to new connections. Only complete dumps are checked, and only if another hook has the condition
    or the release is certain.

Why it matters:
    Only the first packet of a connection needs these chains, which refuse Services without endpoints. Without the
    condition every packet is compared with all of their rules.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :KUBE-PROXY-CANARY - [0:0]
    :KUBE-SERVICES - [0:0]
    -A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-PROXY-CANARY - [0:0]
    :KUBE-SERVICES - [0:0]
    COMMIT

How to fix:
    Delete the hook and restart kube-proxy: it writes its own.

When to ignore:
    When the chains have few rules.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.conditions import asks_for_new, conditions_of
from ipt_explain.audit.evidence.hooks.hook_states import hooks
from ipt_explain.audit.evidence.node.writer import writer
from ipt_explain.words import counted


@rule("IPT110", "hook-without-ctnew", Severity.INFO, since=11, reads_absence=True)
def hook_without_ctnew(context: RulesetContext) -> Faults:
    """One fault for each such hook."""
    found = hooks(context)
    usual = any(asks_for_new(jump) for state in found if state.hook.for_new for jump in state.rules)
    if not usual and not writer(context).since(16):
        return
    for state in found:
        hook = state.hook
        for jump in state.rules:
            if hook.for_new and not asks_for_new(jump) and not conditions_of(jump, but_new=True):
                yield Fault(
                    f"filter {hook.built_in} sends every packet through {hook.chain}, not only new connections: each "
                    f"is compared with {counted(len(state.target.rules), 'rule')}",
                    "Delete the jump and restart kube-proxy: it writes it with --ctstate NEW.",
                    at_rule(jump),
                )
