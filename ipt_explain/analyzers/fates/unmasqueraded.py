"""Why packets that kube-proxy marked for masquerading leave with their own source."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TypeAlias

from ipt_explain.analyzers.fates.deciding import Deciders
from ipt_explain.analyzers.names import MARK_MASQ, POSTROUTING
from ipt_explain.analyzers.nftables.tables import MASQUERADING
from ipt_explain.model import Chain
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.walk.backends.nft_path import NftStep
from ipt_explain.netfilter.walk.packets import Packets
from ipt_explain.netfilter.walk.path import AnyStep, Step
from ipt_explain.netfilter.walk.stages import NodeRules
from ipt_explain.services.fates import Unmasqueraded

Left: TypeAlias = "tuple[Packets, Sequence[Heading]]"
"""Packets that left with their own source, and the endpoints that they reached: one for each packet, or all of them for
a single packet."""

_REWRITING = frozenset({"MASQUERADE", "SNAT", "NETMAP"})
_LEAVING = frozenset({"ACCEPT", "RETURN"})


def unmasqueraded(
    left: Sequence[Left], marked: bool, node: NodeRules, deciders: Deciders
) -> Mapping[Heading, Unmasqueraded]:
    """For each endpoint that packets reached, why they kept their source, if known. `marked`: KUBE-MARK-MASQ sets a
    mark at all."""
    found: dict[Heading, Unmasqueraded] = {}
    chain = None if marked else _chain(node, MARK_MASQ)
    if chain is not None:
        why = Unmasqueraded(deciders.of_chain("nat", chain), "this chain sets no mark")
        return {heading: why for _, reached in left for heading in reached}
    known: dict[object, Unmasqueraded | None] = {}
    for packets, reached in left:
        for row, heading in enumerate(reached):
            path = packets.path(min(row, len(packets) - 1))
            if path is None:
                continue
            # What they share lives as long as the packets.
            met = tuple([(id(getattr(leg, "visit", None)), id(getattr(leg, "via", None))) for leg in path.legs])
            if met not in known:
                known[met] = _why(path.steps(), node, deciders)
            kept = known[met]
            if kept is not None:
                found.setdefault(heading, kept)
    return found


def _why(steps: Sequence[AnyStep], node: NodeRules, deciders: Deciders) -> Unmasqueraded | None:
    leaving = [step for step in steps if step.before.hook is Hook.POSTROUTING]
    if any(isinstance(step, NftStep) for step in leaving):
        return _why_in_nftables([step for step in leaving if isinstance(step, NftStep)], deciders)
    of_nat = [step for step in leaving if isinstance(step, Step) and step.table == "nat"]
    own = [step for step in of_nat if step.chain.name == POSTROUTING]
    entered = any(step.into is not None and step.into.name == POSTROUTING for step in of_nat)
    for step in own if entered else reversed(of_nat):
        if step.rule is not None and step.into is None and step.rule.target in _LEAVING:
            marked = f"packets with mark 0x{step.before.mark:x}"
            why = f"{step.rule.target} lets {marked} pass before MASQUERADE"
            return Unmasqueraded(deciders.of(step, step.before), why)
    if entered:
        return _without_effect(_chain(node, POSTROUTING), _REWRITING, "no rule here masquerades", deciders)
    hook = _chain(node, Hook.POSTROUTING.value)
    return _without_effect(hook, (POSTROUTING,), f"no rule here jumps to {POSTROUTING}", deciders)


def _without_effect(
    chain: Chain | None, targets: Container[str | None], lacks: str, deciders: Deciders
) -> Unmasqueraded | None:
    """The rule with one of these targets that should have taken marked packets, or the chain that `lacks` one."""
    if chain is None:
        return None
    rule = next((rule for rule in chain.each_rule() if rule.target in targets), None)
    if rule is None:
        return Unmasqueraded(deciders.of_chain("nat", chain), lacks)
    return Unmasqueraded(deciders.of_chain("nat", chain, rule), "this rule does not match all marked packets")


def _why_in_nftables(steps: Sequence[NftStep], deciders: Deciders) -> Unmasqueraded | None:
    """The reason in the chain masquerading, if packets get there."""
    own = [step for step in steps if step.chain.name == MASQUERADING]
    into = next((step for step in steps if step.into is not None and step.into.name == MASQUERADING), None)
    if own and own[-1].verdict is not None:
        return Unmasqueraded(deciders.of(own[-1], own[-1].before), "this rule lets marked packets pass")
    if into is not None:
        return Unmasqueraded(deciders.of(into, into.before), "no rule here masquerades marked packets")
    return None


def _chain(node: NodeRules, name: str) -> Chain | None:
    chains = (ruleset.chain("nat", name) for ruleset in node.rulesets)
    return next((chain for chain in chains if chain is not None), None)
