"""Why rules show no Services: the same words from every command."""

from __future__ import annotations

from ipt_explain.model import Backend
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import ProxyMode, RulesetFacts

NO_SERVICE = "No Service here"
IN_NFTABLES = "In nftables mode, `nft list ruleset` shows kube-proxy's rules"
ONLY_ADDRESSES = (
    "this input shows only addresses. `iptables-save`, `nft list ruleset` or, in IPVS mode, `ipvsadm-save -n` and "
    "`ipset save` show kube-proxy's rules"
)
IN_POD = "these rules are from a pod with an Istio sidecar, not from a node: take the dump on the node itself"
IN_USERSPACE = (
    "kube-proxy wrote these rules in userspace mode (KUBE-PORTALS and KUBE-NODEPORT chains): they lead to its own "
    "process, which picks the pod"
)
OTHER_PROXIES = {
    "OVN-KUBE-": "kube-proxy has no chains here, but OVN-Kubernetes has: OVN serves Services itself "
    "(`ovn-nbctl lb-list`)",
    "CILIUM_": "kube-proxy has no chains here, but Cilium has: Cilium may serve Services itself "
    "(`cilium-dbg service list`)",
}
"""By the beginning of chains' names: what replaces kube-proxy, and what shows its Services."""
FLUSHED = "there are no rules: they were flushed, or kube-proxy never wrote any"


def absence(explanation: Explanation) -> str:
    """Why there are no Services, from the first ruleset that shows a reason; "" without rulesets."""
    rulesets = explanation.rulesets
    servers = [each for each in rulesets if each.backend is Backend.IPVS]
    telling = next((each for each in (*servers, *rulesets) if each.mode is not None), rulesets[0] if rulesets else None)
    return "" if telling is None else reason(telling)


def reason(ruleset: RulesetFacts) -> str:
    """Why a ruleset has no Services, and what to do, as a clause."""
    if ruleset.backend is Backend.IPVS:
        return "IPVS has no virtual servers"
    if ruleset.backend is Backend.NFTABLES and ruleset.mode is ProxyMode.NFTABLES:
        if ruleset.form.fragment:
            return "the maps of Services (service-ips, service-nodeports) are empty or not in this input"
        return "kube-proxy's table is here, but its maps of Services are empty"
    if ruleset.mode is ProxyMode.IPVS:
        return f"{ruleset.evidence}; `ipvsadm-save -n` and `ipset save` show them"
    if ruleset.evidence == IN_USERSPACE:
        return IN_USERSPACE
    if ruleset.alone:
        return (
            f"these rules show only endpoints ({ruleset.alone}), not what leads to them. `iptables-save | grep NAME` "
            "with a Service's name shows that"
        )
    if ruleset.mode is ProxyMode.IPTABLES and ruleset.form.fragment:
        return "none of kube-proxy's chains in this input belongs to a Service"
    if ruleset.mode is ProxyMode.IPTABLES and "nat" not in ruleset.tables:
        return "Services are in the nat table, which this input lacks"
    if ruleset.mode is ProxyMode.IPTABLES and not ruleset.tables["nat"].rules:
        filled = "filter" in ruleset.tables and ruleset.tables["filter"].rules
        emptied = "kube-proxy's chains in nat have no rules"
        found = "filter has kube-proxy's rules, but nat has none" if filled else emptied
        return f"{found}: somebody flushed nat. Restart kube-proxy on this node"
    if ruleset.mode is ProxyMode.IPTABLES:
        return "kube-proxy's chains are here, but they lead to no Service"
    if ruleset.form.fragment and ruleset.evidence in OTHER_PROXIES.values():
        return ruleset.evidence
    if ruleset.form.fragment:
        return "none of these rules belongs to KUBE-SERVICES, KUBE-NODEPORTS or a KUBE-SVC chain"
    found = ruleset.evidence or "none of these rules is kube-proxy's"
    if not any(size.rules for size in ruleset.tables.values()):
        found = FLUSHED
    return found if found == IN_POD or ruleset.before_nftables else f"{found}. {IN_NFTABLES}"
