"""A node's own addresses and its IP sets, in the form that rules test."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ipt_explain.model import Family
from ipt_explain.model.node import NodeFacts
from ipt_explain.netfilter.header import parse_address
from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.netfilter.ipsets.known import KnownSets


class OwnAddresses(Record):
    """The node's addresses of one family. `more`: it may have others. `first` is the first address that `ip addr` shows
    for each known interface."""

    addresses: frozenset[int] = frozenset()
    more: bool = True
    first: tuple[tuple[str, int], ...] = ()


@lru_cache(maxsize=16)
def own_addresses(facts: NodeFacts, family: Family) -> OwnAddresses:
    """The node's known addresses.

    If some interfaces are missing, addresses of virtual servers count as the node's: IPVS only gets packets for the
    node's addresses, so kube-proxy binds these addresses to the node.
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


@lru_cache(maxsize=2)
def known_sets(facts: NodeFacts) -> KnownSets | None:
    """The node's IP sets, ready for lookups; None if none are known."""
    if not facts.sets:
        return None
    from ipt_explain.netfilter.ipsets.known import KnownSets

    return KnownSets({name: found.set for name, found in facts.sets.items()})
