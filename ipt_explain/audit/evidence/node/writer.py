"""Who wrote the rules of a ruleset: kube-proxy's mode and releases, and whether kubelet wrote some too."""

from __future__ import annotations

from ipt_explain.analyzers.names import BACKEND_HINT, FIREWALL, KUBELET_CANARY, PROXY_CANARY, PROXY_FIREWALL
from ipt_explain.analyzers.versions import VersionRange
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.records import Record
from ipt_explain.services.ports import ProxyMode


class Writer(Record):
    """Who wrote a ruleset.

    `canaries`: kube-proxy's canary chains are there, which show it whether its rules were flushed.
    `kubelet_canary`: kubelet's is there; `kubelet`: that, or another chain that only kubelet writes.
    """

    mode: ProxyMode | None
    version: VersionRange
    canaries: bool
    kubelet_canary: bool
    kubelet: bool

    @property
    def ipvs(self) -> bool:
        """Whether kube-proxy ran in IPVS mode."""
        return self.mode is ProxyMode.IPVS

    def since(self, minor: int) -> bool:
        """Whether the writer is certainly kube-proxy 1.`minor` or later."""
        return self.version.first >= minor


@fact
def writer(context: RulesetContext) -> Writer:
    """Who wrote the ruleset."""
    ruleset = context.ruleset
    kubelet_canary = ruleset.has_chain(KUBELET_CANARY)
    # From 1.25 on (KUBE-PROXY-FIREWALL exists), kube-proxy may have made KUBE-FIREWALL too.
    own_firewall = ruleset.has_chain(FIREWALL) and not ruleset.has_chain(PROXY_FIREWALL)
    return Writer(
        mode=context.facts.mode,
        version=context.version,
        canaries=ruleset.has_chain(PROXY_CANARY),
        kubelet_canary=kubelet_canary,
        kubelet=kubelet_canary or own_firewall or ruleset.has_chain(BACKEND_HINT),
    )
