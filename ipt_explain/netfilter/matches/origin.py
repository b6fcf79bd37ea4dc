"""physdev, owner, cgroup, pkttype, mac: where a packet comes from, below or above IP."""

from __future__ import annotations

from ipt_explain.model import Match, Option
from ipt_explain.netfilter.condition import Answer, Condition, Words
from ipt_explain.netfilter.header.interfaces import interface_fits
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.matches.undecided import described
from ipt_explain.netfilter.packet import Bound, PacketState, is_broadcast, is_multicast
from ipt_explain.netfilter.truth import Truth
from ipt_explain.records import replace


def conditions(match: Match) -> list[Condition]:
    """Each option a condition, but for owner's --suppl-groups, which only widens another."""
    of = _BY_MODULE[match.module]
    return [of(match, option) for option in match.options if option.name != "--suppl-groups"]


def _bridge_port(match: Match, option: Option) -> Condition:
    """physdev: ports of a bridge, seen only where the node has br_netfilter.

    A packet comes by a bridge port if its connection says so; else it does not, unless a user assumes `physdev-is-in`.
    Routed packets leave by no bridge port that these hooks could see, and are not bridged.
    """
    negated = option.negated

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        port = state.connection.bridge_port
        assumed = state.node.assumption(f"-m physdev {option.name} {' '.join(words)}".rstrip())
        if assumed is not None:
            found = assumed
        elif option.name == "--physdev-is-in":
            found = bool(port)
        elif option.name == "--physdev-in":
            found = interface_fits(words[0], port)
        elif option.name == "--physdev-out":
            found = words[0] == "+"
        else:
            found = False
        return Truth.of(found is not negated)

    return Condition(option.slots, test)


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
    """To whom the frame was addressed; unicast, unless the IP destination is a group."""

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        family, destination = state.connection.family, bound.sent.address
        kind = "unicast"
        if destination is None:
            kind = "unicast"
        elif is_multicast(destination, family):
            kind = "multicast"
        elif is_broadcast(destination, family):
            kind = "broadcast"
        return Truth.of((words[0].lower() == kind) is not option.negated)

    return Condition(option.slots, test, bound=True, sent=True)


def _mac(match: Match, option: Option) -> Condition:
    """The sender's hardware address; what the node sends itself has none when rules see it, so even `!` fails."""
    undecided = described(match, option)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        if state.connection.local and state.hook in (Hook.OUTPUT, Hook.POSTROUTING):
            return Truth.NO
        return undecided.test(words, state, bound)

    return replace(undecided, test=test)


_BY_MODULE = {
    "cgroup": _of_socket, "owner": _of_socket, "mac": _mac, "physdev": _bridge_port, "pkttype": _pkttype
}  # fmt: skip
