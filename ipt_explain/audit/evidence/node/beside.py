"""Several kube-proxy modes on one node, and which of them serves.

Facts: iptables and nftables translate in PREROUTING and OUTPUT, where the kernel asks the one registered last first if
priorities are equal; IPVS takes in LOCAL_IN what they leave untranslated (net/netfilter/ipvs/ip_vs_core.c).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.names import SERVICES
from ipt_explain.audit.backends import BackendContext, NftContext
from ipt_explain.audit.context import DumpContext, RulesetContext
from ipt_explain.audit.evidence.hooks.hook_states import service_chains
from ipt_explain.enums import Enum
from ipt_explain.model import Family
from ipt_explain.records import dataclass
from ipt_explain.services.ports import ProxyMode


class Part(Enum):
    """What a mode does on the node."""

    SERVES = "serves"
    MAY_SERVE = "may serve"  # or another of this kind: the order is not in a dump
    BEHIND = "serves what the others leave"
    INERT = "is not asked"


@dataclass(frozen=True, slots=True)
class Beside:
    """One mode of several."""

    context: BackendContext
    mode: ProxyMode
    part: Part


def modes_beside_each_other(node: DumpContext) -> Iterator[tuple[Beside, ...]]:
    """For each family with several modes, all of them."""
    for family in Family:
        found = {mode: (context, asked) for context, mode, asked in _modes(node, family)}
        if len(found) < 2:
            continue
        translating = [mode for mode, (_, asked) in found.items() if asked and mode is not ProxyMode.IPVS]
        yield tuple(Beside(context, mode, _part(mode, asked, translating)) for mode, (context, asked) in found.items())


def _part(mode: ProxyMode, asked: bool, translating: Sequence[ProxyMode]) -> Part:
    if not asked:
        return Part.INERT
    if mode is ProxyMode.IPVS:
        return Part.BEHIND if translating else Part.SERVES
    return Part.SERVES if len(translating) < 2 else Part.MAY_SERVE


def _modes(node: DumpContext, family: Family) -> Iterator[tuple[BackendContext, ProxyMode, bool]]:
    """Each mode of a family, and whether packets reach it."""
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
