"""What facts of a node mean to packets: its own addresses and its IP sets."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ipt_explain.model import Family
from ipt_explain.model.node.facts import NodeFacts
from ipt_explain.netfilter.header.addresses import parse_address
from ipt_explain.records import dataclass

if TYPE_CHECKING:
    from ipt_explain.netfilter.ipsets.known import KnownSets


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """The node's addresses of one family. `more` tells that it may have others; `first` is an address of each interface
    that is known, the first that `ip addr` shows."""

    addresses: frozenset[int] = frozenset()
    more: bool = True
    first: tuple[tuple[str, int], ...] = ()


@lru_cache(maxsize=16)
def own_addresses(facts: NodeFacts, family: Family) -> OwnAddresses:
    """The node's own addresses, as far as the facts tell.

    While some interfaces are not shown, the address of a virtual server counts as the node's: IPVS gets only packets
    for addresses of the node, and kube-proxy sees to it that they are.
    """
    addresses: set[int] = set()
    first: dict[str, int] = {}
    whole = facts.addresses is not None and facts.addresses.complete
    if facts.addresses is not None:
        for each in facts.addresses.addresses:
            if each.family is family:
                address = parse_address(each.address)
                addresses.add(address)
                first.setdefault(each.interface, address)
    if not whole and facts.virtual_servers is not None:
        for server in facts.virtual_servers.servers:
            if server.family is family and server.address is not None:
                addresses.add(parse_address(server.address))
    return OwnAddresses(frozenset(addresses), not whole, tuple(first.items()))


@lru_cache(maxsize=16)
def known_sets(facts: NodeFacts) -> KnownSets | None:
    """The node's IP sets, ready for questions; None where none are known."""
    if not facts.sets:
        return None
    from ipt_explain.netfilter.ipsets.known import KnownSets

    return KnownSets({name: found.set for name, found in facts.sets.items()})
