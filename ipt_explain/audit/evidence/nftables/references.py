"""What leads to the chains of kube-proxy's table: rules, and elements of maps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ipt_explain.audit.backends import NftContext
from ipt_explain.audit.fact import fact
from ipt_explain.audit.findings.place import Location
from ipt_explain.model import nft
from ipt_explain.netfilter.nft.jumps import NftJump, jumps


@fact
def references(context: NftContext) -> Mapping[str, list[NftJump]]:
    """All that leads to each chain of kube-proxy's table, whether the chain exists or not; each element once, however
    many rules look it up."""
    found: dict[str, list[NftJump]] = defaultdict(list)
    table = context.proxy
    if table is None:
        return found
    asking: dict[nft.Set, nft.Rule] = {}
    for chain in table.chains.values():
        for jump in jumps(table, chain):
            if jump.held is None or asking.setdefault(jump.held, jump.rule) is jump.rule:
                found[jump.target].append(jump)
    return found


def whose(jump: NftJump) -> str:
    """Where a jump is, in words."""
    return f"chain {jump.source}" if jump.held is None else f"map {jump.held.name}"


def place_of(context: NftContext, table: nft.Table, jump: NftJump) -> Location:
    """Where a jump is."""
    if jump.held is not None and jump.element is not None:
        return context.at_element(table, jump.held, jump.element)
    return context.at_rule(table, table.chains[jump.source], jump.rule)
