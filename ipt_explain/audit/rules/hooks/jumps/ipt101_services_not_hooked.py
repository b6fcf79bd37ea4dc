"""Service rules are never reached: nat PREROUTING or OUTPUT does not jump to KUBE-SERVICES.

What it checks:
    If nat has a KUBE-SERVICES chain with rules, PREROUTING and OUTPUT lead to it, directly or through another chain.
    Chains of single Services in nat are reported, too, if no KUBE-SERVICES leads to them. In a part of a dump,
    KUBE-SERVICES is reported if `iptables -L` counts 0 references to it.

Why it matters:
    Without the jump in PREROUTING, pods and outside clients reach no Service through this node: packets leave with the
    ClusterIP as destination and time out. Without the jump in OUTPUT the same happens to the node's own processes and
    to host-network pods. kube-proxy 1.27 and later checks its hooks only at a full sync, and assumes that its rules are
    intact as long as its canary chains exist. It may not repair a deleted hook for an hour, or until it is restarted.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443
    COMMIT

How to fix:
    Restart kube-proxy on the node (delete its pod): at start it writes all of its hooks. Then find what removed the
    jump. The usual causes are firewalld reloads, `iptables -F` in boot scripts and restores by other tools.

When to ignore:
    When another program has taken over Services (an eBPF data plane) and these chains are leftovers. Then remove them
    with `kube-proxy --cleanup`.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import SERVICES
from ipt_explain.audit.authoring import RESTART_HOOKS, Fault, Faults, RulesetContext, Severity, at_chain, at_table, rule
from ipt_explain.audit.evidence.hooks.hook_states import HookState, hooks, service_chains
from ipt_explain.audit.evidence.hooks.references import may_lack_hooks, unreferenced
from ipt_explain.audit.evidence.node.writer import writer

_LOST = {
    "PREROUTING": "connections from pods and from outside to Services leave untranslated and time out",
    "OUTPUT": "connections from the node and from host-network pods to Services leave untranslated and time out",
}
_FIX = f"{RESTART_HOOKS} Then find what removed this one."


@rule("IPT101", "services-not-hooked", Severity.ERROR, evidence=may_lack_hooks)
def services_not_hooked(context: RulesetContext) -> Faults:
    """One fault for each built-in chain that does not lead to KUBE-SERVICES."""
    if not context.complete:
        chain = unreferenced(context)
        if chain is not None:
            yield Fault(
                "no rule leads to KUBE-SERVICES of nat, which has 0 references: connections to Services leave "
                "untranslated and time out",
                _FIX,
                at_chain(chain),
            )
        return
    for state in hooks(context):
        if state.hook.table == "nat" and state.hook.chain == SERVICES and state.missing:
            yield _fault(context, state)
    nat = context.table("nat")
    if nat is not None and SERVICES not in nat.chains:
        services = service_chains(context)
        graph = context.graph("nat")
        if services and graph is not None and not graph.is_called(SERVICES):
            yield Fault(
                f"nat has no KUBE-SERVICES chain, so nothing leads to its {services} service chains: no Service works "
                "through this node",
                "Restart kube-proxy on this node; if another program serves Services now, remove the leftovers "
                "with kube-proxy --cleanup.",
                at_table("nat", nat.line, SERVICES),
            )


def _fault(context: RulesetContext, state: HookState) -> Fault:
    name = state.hook.built_in
    wait = ""
    if writer(context).canaries:
        wait = "; kube-proxy 1.27 and later does not notice until its next full sync, as its canary chains still exist"
    message = f"nat {name} does not jump to KUBE-SERVICES: {_LOST[name]}{wait}"
    return Fault(message, _FIX, state.lacking, related=state.unreached)
