"""Facts about session affinity that rules of the catalogue ask for."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.balancing.affinity_faults import Affinity, AffinityFault, BrokenAffinity, read_affinity
from ipt_explain.audit.evidence.balancing.balancers import balancing_chains, endpoint_chains, named
from ipt_explain.audit.fact import fact


@fact
def affinity(context: RulesetContext) -> Affinity:
    """All session affinity of a ruleset."""
    return read_affinity(context.ruleset, balancing_chains(context), endpoint_chains(context))


def broken_affinity(context: RulesetContext, fault: AffinityFault) -> Iterator[BrokenAffinity]:
    """The faults of one kind."""
    return (broken for broken in affinity(context).broken if broken.fault is fault)


def destinations(context: RulesetContext, chains: tuple[str, ...]) -> str:
    """The endpoints behind some chains, in words."""
    endpoints = endpoint_chains(context)
    return named(endpoints.destination(chain) for chain in chains)
