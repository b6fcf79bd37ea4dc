"""Chains of service ports and endpoints that nothing leads to.

Fact: kube-proxy deletes the chains of removed Services and endpoints in the same sync, except from 1.25 on in clusters
with more than 1,000 endpoints, where it may wait for the next full sync; 1.22 keeps chains of endpoints that are not
ready; from 1.28 on it no longer knows KUBE-XLB.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import ChainRole, role_of
from ipt_explain.graph.jump_sets import JumpSets
from ipt_explain.model import Chain
from ipt_explain.records import Record

LARGE_CLUSTER = 1000
"""With more endpoints than this, kube-proxy delays deletions."""


class StaleChains(Record):
    """Chains that no rule leads to, by role. Chains that only these lead to are not counted again."""

    services: tuple[Chain, ...]
    endpoints: tuple[Chain, ...]
    old: tuple[Chain, ...]
    large: bool


def read_stale_chains(jumps: JumpSets, endpoint_count: int) -> StaleChains:
    """The stale chains of a nat table."""
    services: list[Chain] = []
    endpoints: list[Chain] = []
    old: list[Chain] = []
    chains = jumps.table.chains
    for name in sorted(jumps.uncalled):
        role, chain = role_of(name), chains[name]
        if not chain.layout.shapes:
            continue
        if role is ChainRole.ENDPOINT:
            endpoints.append(chain)
        elif role is ChainRole.LOCAL_EXTERNAL:
            old.append(chain)
        elif role is not None:
            services.append(chain)
    return StaleChains(tuple(services), tuple(endpoints), tuple(old), endpoint_count > LARGE_CLUSTER)
