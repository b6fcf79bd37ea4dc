"""Where connections to Services are lost, seen from kube-proxy's own rules."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.names import SERVICES
from ipt_explain.analyzers.owners.neighbours import POLICY_ENGINES
from ipt_explain.analyzers.owners.owner import owner_of
from ipt_explain.audit.backends import BackendContext, NftContext
from ipt_explain.audit.context import RulesetContext
from ipt_explain.enums import Enum
from ipt_explain.model import Backend, Chain, Rule
from ipt_explain.netfilter.hooks import DESTINATION_NAT
from ipt_explain.services.fates import ACCEPTED_FIRST, CutOff, Decider, Loss, Lost

_EARLY = frozenset(hook.value for hook in DESTINATION_NAT)
_UNRECOGNISED = frozenset({CutOff.REPLIES_UNRECOGNISED.value, CutOff.LATER_UNRECOGNISED.value})


class LossPlace(Enum):
    """Where connections are lost, seen from kube-proxy's own rules."""

    OTHER_BACKEND = "in rules of another backend, or of another table of nftables"
    POLICY = "in the chains of an engine of NetworkPolicies"
    AHEAD = "before KUBE-SERVICES sees them"
    FILTER = "in filter, by rules of others"
    ELSEWHERE = "elsewhere"


def place_of(
    losses: Sequence[Lost], served_by: BackendContext, judged: BackendContext, chain: Chain | None, rule: Rule | None
) -> LossPlace:
    """The place of losses that one decider in `judged` causes: this rule, or this chain as a whole; both are None if
    they are not known or not of iptables. `served_by` is the ruleset with the Services."""
    decider = losses[0].decider
    by_policy = _is_of_engine(decider, judged) and any(map(_is_stopped, losses))
    if isinstance(served_by, NftContext):
        own = judged is served_by and decider.owner == "kube-proxy"
        return LossPlace.ELSEWHERE if own else LossPlace.POLICY if by_policy else LossPlace.OTHER_BACKEND
    if judged is not served_by and served_by.backend is not Backend.IPVS:
        return LossPlace.OTHER_BACKEND
    if chain is None or not isinstance(judged, RulesetContext):
        return LossPlace.ELSEWHERE
    if by_policy:
        return LossPlace.POLICY
    if chain.name.startswith("KUBE-"):
        return LossPlace.ELSEWHERE
    if served_by.backend is Backend.IPVS:
        return LossPlace.OTHER_BACKEND
    if decider.table == "filter":
        refused_anyway = all(lost.why == ACCEPTED_FIRST for lost in losses)
        return LossPlace.ELSEWHERE if refused_anyway else LossPlace.FILTER
    if decider.table == "raw" or (rule is not None and _is_ahead(judged, decider.table or "", rule)):
        return LossPlace.AHEAD
    if decider.table == "mangle" and chain.name in _EARLY:
        return LossPlace.AHEAD
    return LossPlace.ELSEWHERE


def _is_stopped(lost: Lost) -> bool:
    """Whether packets are dropped or refused, as by a NetworkPolicy, not kept from being translated."""
    return lost.how in (Loss.DROPPED, Loss.REJECTED) or (lost.how is Loss.UNANSWERED and lost.why not in _UNRECOGNISED)


def _is_of_engine(decider: Decider, judged: BackendContext) -> bool:
    if isinstance(judged, NftContext):
        return decider.owner in POLICY_ENGINES
    owner = None if decider.chain is None else owner_of(decider.chain, (), decider.table)
    return owner is not None and owner.name in POLICY_ENGINES


def _is_ahead(context: RulesetContext, table: str, rule: Rule) -> bool:
    """Whether a rule of mangle or nat is asked before kube-proxy's jump to KUBE-SERVICES is."""
    graph = context.graph(table)
    if graph is None:
        return False
    for name in graph.leading_to(rule.chain) & _EARLY:
        jumps = graph.jumps(name)
        hook = next((jump.rule.line for jump in jumps if table == "nat" and jump.target == SERVICES), None)
        if hook is None:
            return table != "nat"
        leading = [jump.target for jump in jumps if jump.rule.line < hook]
        if (rule.chain == name and rule.line < hook) or any(
            rule.chain in graph.reachable_from(target) for target in leading
        ):
            return True
    return False
