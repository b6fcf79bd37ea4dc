"""The routing decision: is a packet for the node itself, or for others?"""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.model import Family
from ipt_explain.netfilter.condition import Branch, Question, decide, split
from ipt_explain.netfilter.matches.addressing import own_address_question
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Address


def routes(
    state: PacketState, addresses: set[Address | None]
) -> Mapping[Address | None, Truth | tuple[Branch, ...]]:
    """The routing decision for each address. Most are known to be no address of the node, and are not asked for."""
    node, family = state.node, state.connection.family
    elsewhere: set[Address | None] = set()
    if not node.local_addresses and node.sets is None:
        if state.destination_decided:
            numbers = {address for address in addresses if isinstance(address, int)}
            bits, loopback = (24, 127) if family is Family.IPV4 else (0, 1)
            elsewhere.update(address for address in numbers if address >> bits != loopback)
            elsewhere.discard(state.connection.source)
        else:
            elsewhere = addresses & node.foreign_addresses
    known: dict[Address | None, Truth | tuple[Branch, ...]] = dict.fromkeys(elsewhere, Truth.NO)
    for address in addresses - elsewhere:
        known[address] = _for_this_node(state, address)
    return known


def _for_this_node(state: PacketState, address: Address | None) -> Truth | tuple[Branch, ...]:
    """The routing decision. Where the node's addresses are not known, one that NAT chose is taken for another
    machine's."""
    if address is None:
        return Truth.YES
    owned = state.owns(address)
    if owned is Truth.UNKNOWN and state.destination_decided:
        return Truth.NO
    answer = decide(owned, state, own_address_question(address, state.connection.family))
    return split((answer,), state) if isinstance(answer, Question) else answer
