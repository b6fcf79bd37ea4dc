"""physdev, owner, cgroup, pkttype, mac: where a packet comes from, below or above IP."""

from __future__ import annotations

from ipt_explain.model import Match, Option
from ipt_explain.netfilter.condition import Answer, Condition, Words, decided, described
from ipt_explain.netfilter.header import interface_fits
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import is_broadcast, is_multicast
from ipt_explain.records import replace


def conditions(match: Match) -> list[Condition]:
    """Each option is a condition, except owner's --suppl-groups, which only widens another."""
    of = _BY_MODULE[match.module]
    return [of(match, option) for option in match.options if option.name != "--suppl-groups"]


def _bridge_port(match: Match, option: Option) -> Condition:
    """physdev: ports of a bridge, which rules only see if the node has br_netfilter.

    A packet arrives on a bridge port if its connection says so, or if the user assumes `physdev-is-in`. Routed packets
    leave by no bridge port that these hooks could see, and are not bridged. One that arrives on none fits no option,
    not even `+`.
    """

    def holds(words: Words, state: PacketState, bound: Bound) -> bool:
        port = state.connection.bridge_port
        assumed = state.node.assumption(f"-m physdev {option.name} {' '.join(words)}".rstrip())
        if assumed is not None:
            return assumed
        if not port:
            return False
        if option.name == "--physdev-in":
            return interface_fits(words[0], port)
        return option.name == "--physdev-is-in" or (option.name == "--physdev-out" and words[0] == "+")

    return decided(option, holds)


def _of_socket(match: Match, option: Option) -> Condition:
    """A forwarded packet has no socket, so a plain test fails and a negated one holds (xt_owner.c)."""
    undecided = described(match, option)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        if not state.connection.local:
            return Truth.of(option.negated)
        if option.name == "--socket-exists":
            return Truth.of(not option.negated)
        return undecided.test(words, state, bound)

    return replace(undecided, test=test)


def _pkttype(match: Match, option: Option) -> Condition:
    """Whom the frame was addressed to: unicast, unless the IP destination is a group."""

    def holds(words: Words, state: PacketState, bound: Bound) -> bool:
        family, destination = state.connection.family, bound.sent.address
        kind = "unicast"
        if destination is not None and is_multicast(destination, family):
            kind = "multicast"
        elif destination is not None and is_broadcast(destination, family):
            kind = "broadcast"
        return words[0].lower() == kind

    return decided(option, holds, bound=True, sent=True)


def _mac(match: Match, option: Option) -> Condition:
    """The sender's hardware address. The node's own packets have none when rules see them, so even `!` fails."""
    undecided = described(match, option)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        if state.connection.local and state.hook in (Hook.OUTPUT, Hook.POSTROUTING):
            return Truth.NO
        return undecided.test(words, state, bound)

    return replace(undecided, test=test)


_BY_MODULE = {
    "cgroup": _of_socket, "owner": _of_socket, "mac": _mac, "physdev": _bridge_port, "pkttype": _pkttype
}  # fmt: skip
