"""The node has Kubernetes chains, but no Services.

What it checks:
    A dump with chains of kubelet or kube-proxy has at least one Service, in iptables or IPVS mode. If one family has
    Services, the other needs none.

Why it matters:
    Either kube-proxy does not run or cannot write its rules, and no Service can be reached from here. Or Services are
    handled where iptables-save does not look: kube-proxy's nftables mode (`nft list table ip kube-proxy`), eBPF
    (Cilium, Calico), OVN-Kubernetes.

Example:
    *mangle
    :PREROUTING ACCEPT [0:0]
    :KUBE-IPTABLES-HINT - [0:0]
    :KUBE-KUBELET-CANARY - [0:0]
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-KUBELET-CANARY - [0:0]
    COMMIT

How to fix:
    Check kube-proxy's pod and log on this node, and its mode (`curl localhost:10249/proxyMode`). If it should be
    iptables mode, the usual cause is an iptables-restore error in the log.

When to ignore:
    On nodes where something other than iptables handles Services.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import SERVICES, is_kube_chain
from ipt_explain.audit.authoring import DumpContext, Fault, Faults, RulesetContext, Severity, at_chain, dump_rule
from ipt_explain.audit.evidence.hooks.hook_states import service_chains
from ipt_explain.model import Chain, Family
from ipt_explain.services.ports import ProxyMode


@dump_rule("IPT703", "no-proxy", Severity.INFO, reads_absence=True)
def no_proxy(dump: DumpContext) -> Faults:
    """At most one fault, at the first chain of Kubernetes in the dump."""
    if any(context.services for context in dump.contexts):
        return
    if any(not context.knows_table("nat") for context in dump.rulesets):
        return
    for context in dump.rulesets:
        first = _first_kube_chain(context)
        services = context.chain("nat", SERVICES)
        # kube-proxy sets up both families, and most clusters use IPv4 alone.
        single_stack = services is not None and context.ruleset.family is Family.IPV6
        flushed = services is not None and service_chains(context) > 0  # IPT116 reports it
        if first is not None and not single_stack and not flushed and context.facts.mode is not ProxyMode.IPVS:
            yield Fault(
                "Kubernetes chains are here, but no Services: "
                + (
                    "KUBE-SERVICES is empty"
                    if services is not None
                    else f"kube-proxy is not running, or Services are elsewhere ({_elsewhere(context)})"
                ),
                "Check kube-proxy's log and mode on this node (curl localhost:10249/proxyMode).",
                at_chain(first if services is None else services),
                # With no Service in the cluster, the rule for node ports is left in it.
                severity=Severity.ERROR if services is not None and not services.layout.shapes else None,
                context=context,
            )
            return


def _elsewhere(context: RulesetContext) -> str:
    return "eBPF, OVN" if context.facts.before_nftables else "nftables mode, eBPF, OVN"


def _first_kube_chain(context: RulesetContext) -> Chain | None:
    for table in context.ruleset.tables.values():
        for chain in table.chains.values():
            if is_kube_chain(chain.name):
                return chain
    return None
