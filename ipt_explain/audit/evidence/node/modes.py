"""Several kube-proxy modes on one node, which of them serves, and rules left over from a mode.

Facts: iptables and nftables translate in PREROUTING and OUTPUT, where the kernel asks the one registered last first if
priorities are equal; IPVS takes in LOCAL_IN what they leave untranslated (net/netfilter/ipvs/ip_vs_core.c). Chains:
pkg/proxy/ipvs/proxier.go and pkg/proxy/userspace/proxier.go (removed in 1.26); OpenShift SDN's hybrid proxy runs
userspace mode next to iptables mode on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.names import SERVICES, ChainRole
from ipt_explain.analyzers.rulesets import USERSPACE_CHAINS
from ipt_explain.audit.backends import BackendContext, NftContext
from ipt_explain.audit.context import DumpContext, RulesetContext
from ipt_explain.audit.evidence.hooks.hook_states import service_chains
from ipt_explain.enums import Enum
from ipt_explain.model import Chain, Family, Ruleset
from ipt_explain.records import Record
from ipt_explain.services.ports import ProxyMode

_IPVS = ("KUBE-NODE-PORT", "KUBE-LOAD-BALANCER")
_OPENSHIFT = "OPENSHIFT-"


class Leftover(Record):
    """The nat chains of another mode that have rules; `misroutes` if they certainly take Service traffic away."""

    mode: str
    chains: tuple[Chain, ...]
    effect: str
    misroutes: bool


def several_modes(node: DumpContext) -> bool:
    """Whether there are rules or Services of more than one mode."""
    left = any(True for context in node.rulesets for _ in leftovers(context))
    return left or any(True for _ in modes_beside_each_other(node))


def leftovers(context: RulesetContext) -> Iterator[Leftover]:
    """Other modes' rules in a ruleset that has Services in iptables mode."""
    ruleset = context.ruleset
    ipvs, userspace = _with_rules(ruleset, _IPVS), _with_rules(ruleset, USERSPACE_CHAINS)
    if not (ipvs or userspace) or not context.hashed[ChainRole.SERVICE] or context.facts.mode is ProxyMode.IPVS:
        return
    if ipvs:
        yield Leftover("ipvs", ipvs, "they may accept Service traffic before it reaches an endpoint", False)
    if userspace and not any(name.startswith(_OPENSHIFT) for table in ruleset.tables.values() for name in table.chains):
        yield Leftover("userspace", userspace, "they send Service traffic to local ports where nothing listens", True)


def _with_rules(ruleset: Ruleset, names: tuple[str, ...]) -> tuple[Chain, ...]:
    chains = (ruleset.chain("nat", name) for name in names)
    return tuple(chain for chain in chains if chain is not None and chain.layout.shapes)


class ModeRole(Enum):
    """What a mode does on the node."""

    SERVES = "serves"
    MAY_SERVE = "may serve"  # or another of this kind: the order is not in a dump
    BEHIND = "serves what the others leave"
    INERT = "is not asked"


class Beside(Record):
    """One mode of several."""

    context: BackendContext
    mode: ProxyMode
    part: ModeRole


def modes_beside_each_other(node: DumpContext) -> Iterator[tuple[Beside, ...]]:
    """For each family with several modes, all of them."""
    for family in Family:
        found = {mode: (context, asked) for context, mode, asked in _modes(node, family)}
        if len(found) < 2:
            continue
        translating = [mode for mode, (_, asked) in found.items() if asked and mode is not ProxyMode.IPVS]
        yield tuple(Beside(context, mode, _part(mode, asked, translating)) for mode, (context, asked) in found.items())


def _part(mode: ProxyMode, asked: bool, translating: Sequence[ProxyMode]) -> ModeRole:
    if not asked:
        return ModeRole.INERT
    if mode is ProxyMode.IPVS:
        return ModeRole.BEHIND if translating else ModeRole.SERVES
    return ModeRole.SERVES if len(translating) < 2 else ModeRole.MAY_SERVE


def _modes(node: DumpContext, family: Family) -> Iterator[tuple[BackendContext, ProxyMode, bool]]:
    """Each mode of a family, and whether packets get to it."""
    for context in node.contexts:
        if context.family is not family:
            continue
        if isinstance(context, RulesetContext):
            if service_chains(context):
                asked = bool(context.services) and (context.is_called("nat", SERVICES) or not context.complete)
                yield context, ProxyMode.IPTABLES, asked
        elif isinstance(context, NftContext):
            if context.proxy is not None and context.services:
                yield context, ProxyMode.NFTABLES, True
        elif context.services:
            yield context, ProxyMode.IPVS, True
