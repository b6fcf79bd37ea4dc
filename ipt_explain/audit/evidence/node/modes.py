"""Rules that other kube-proxy modes left next to those of iptables mode.

Facts: pkg/proxy/ipvs/proxier.go and pkg/proxy/userspace/proxier.go (removed in 1.26); OpenShift SDN's hybrid proxy
runs userspace mode next to iptables mode on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.names import ChainRole, role_of
from ipt_explain.analyzers.rulesets import proxy_mode
from ipt_explain.model import Chain, Ruleset
from ipt_explain.records import dataclass
from ipt_explain.services.ports import ProxyMode

_IPVS = ("KUBE-NODE-PORT", "KUBE-LOAD-BALANCER")
_USERSPACE = ("KUBE-PORTALS-CONTAINER", "KUBE-PORTALS-HOST", "KUBE-NODEPORT-CONTAINER", "KUBE-NODEPORT-HOST")
_OPENSHIFT = "OPENSHIFT-"


@dataclass(frozen=True, slots=True)
class Leftover:
    """The nat chains of another mode that have rules; `misroutes` if they certainly take Service traffic away."""

    mode: str
    chains: tuple[Chain, ...]
    effect: str
    misroutes: bool


def leftovers(ruleset: Ruleset) -> tuple[Leftover, ...]:
    """Other modes' rules in a ruleset that has services in iptables mode."""
    return tuple(_leftovers(ruleset))


def _leftovers(ruleset: Ruleset) -> Iterator[Leftover]:
    ipvs, userspace = _with_rules(ruleset, _IPVS), _with_rules(ruleset, _USERSPACE)
    nat = ruleset.tables.get("nat")
    if nat is None or not (ipvs or userspace) or not any(role_of(name) is ChainRole.SERVICE for name in nat.chains):
        return
    if proxy_mode(ruleset)[0] is ProxyMode.IPVS:
        return
    if ipvs:
        yield Leftover("ipvs", ipvs, "they may accept Service traffic before it reaches an endpoint", False)
    if userspace and not any(name.startswith(_OPENSHIFT) for table in ruleset.tables.values() for name in table.chains):
        yield Leftover("userspace", userspace, "they send Service traffic to local ports where nothing listens", True)


def _with_rules(ruleset: Ruleset, names: tuple[str, ...]) -> tuple[Chain, ...]:
    chains = (ruleset.chain("nat", name) for name in names)
    return tuple(chain for chain in chains if chain is not None and chain.rules)
