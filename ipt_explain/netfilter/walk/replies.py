"""Replies: what the other side sends back must pass the node's rules too, as packets of an established connection."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from ipt_explain.netfilter.assumptions import Answers
from ipt_explain.netfilter.header.interfaces import NO_INTERFACE
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.packet import Heading, PacketState, Tracking
from ipt_explain.netfilter.probability import ALWAYS, Probability, total
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.ends import Finish, StoppedReply
from ipt_explain.netfilter.walk.hook_walk import HookWalk
from ipt_explain.netfilter.walk.journey import LOOPBACK
from ipt_explain.netfilter.walk.node_rules import NodeRules
from ipt_explain.netfilter.walk.packets import Packets, Travellers
from ipt_explain.netfilter.whereabouts import Address, Whereabouts
from ipt_explain.records import replace

_WORK = 1_000  # rules that one reply may evaluate; one that takes longer passes
_MOST_ENDPOINTS = 256  # that are asked one by one
_OF_SOURCE = ("-s ", "sport", "--source-port", "--src-range", " saddr ")
_NEVER: Probability = 1 - ALWAYS

_Stop = tuple[StoppedReply | None, Probability, Answers]
"""What stops a reply, the share that it stops, and under which assumption, if it is not certain."""


class Replies:
    """Sends the first reply of every translated connection back through a node.

    Conntrack undoes NAT and no rule of nat is asked, so few rules look at more than the state. One reply therefore
    stands for those of all endpoints; they are asked one by one only if what stops it depends on its source. What
    depends on one other thing that the dump does not show is told with it (`_is_told`). Otherwise it counts as passed.
    """

    def __init__(self, node: NodeRules) -> None:
        self._node = node
        self._known: dict[Hashable, tuple[_Stop, bool]] = {}

    def told(self, ends: Iterable[tuple[Finish, Packets]]) -> Iterator[tuple[Finish, Packets]]:
        """The ends of first packets; those whose replies are stopped say so."""
        for finish, packets in ends:
            state = finish.state
            if finish.verdict is not Verdict.ACCEPT or not state.dnat or not state.tracked:
                yield finish, packets
                continue
            stop, same = self._back(finish, None)
            if same:
                yield from _told(finish, packets, stop)
                continue
            rows_of: dict[Heading, list[int]] = {}
            for row, to in enumerate(packets.to):
                rows_of.setdefault(to, []).append(row)
            if len(rows_of) > _MOST_ENDPOINTS:
                yield finish, packets
                continue
            passing: list[int] = []
            for endpoint, rows in rows_of.items():
                stop, _ = self._back(finish, endpoint)
                if stop[0] is None:
                    passing += rows
                else:
                    yield from _told(finish, packets.take(rows), stop)
            if passing:
                yield finish, packets if len(passing) == len(packets) else packets.take(sorted(passing))

    def _back(self, finish: Finish, endpoint: Heading | None) -> tuple[_Stop, bool]:
        """What stops replies of an endpoint, or of all, and whether it does not depend on which."""
        state = finish.state
        nat = state.source, state.dnat, state.snat
        key = state.connection, nat, state.connmark, state.zone, finish.delivered, bool(state.answers), endpoint
        if key not in self._known:
            self._known[key] = self._sent(finish, endpoint)
        return self._known[key]

    def _sent(self, finish: Finish, endpoint: Heading | None) -> tuple[_Stop, bool]:
        first = finish.state
        family = first.connection.family
        unknown = Heading(Whereabouts("the endpoint's address", family), None)
        sender = unknown if endpoint is None or endpoint.address is None else endpoint
        assert sender.address is not None
        state = first._replace(
            source=sender.address,
            source_port=sender.port,
            mark=0,
            tracking=Tracking.REPLY,
            destination_decided=True,
            source_decided=True,
            answers=(),
            visits=frozenset(),
            counted=(),
        )
        hooks = HookWalk(self._node, (unknown,), _WORK)
        travellers = _one(state, first.source, first.source_port)
        for hook, in_interface, out_interface in _course(finish):
            if hook in (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT):  # the client's own address is restored
                travellers = _to_client(travellers)
            travellers = hooks.through(hook, travellers, in_interface, out_interface, balanced=True)
        stops: list[tuple[StoppedReply, Probability]] = []
        stopped, of_source = _NEVER, False
        for end, packets in hooks.ends.apart():
            path = packets.path(0)
            if end.verdict is Verdict.UNKNOWN or path is None:
                continue
            stops.append((StoppedReply(end.verdict, end.state, path), packets.shares[0]))
            if not end.state.answers:
                stopped = total(stopped, packets.shares[0])
            asked = [question for each in end.state.answers for question, _ in each.literals]
            of_source = of_source or any(any(word in question for word in _OF_SOURCE) for question in asked)
        if not travellers and all(end.verdict is not Verdict.UNKNOWN for end in hooks.ends):
            stopped = ALWAYS
        if stopped:
            return (max(stops, key=lambda stop: stop[1])[0], stopped, ()), not of_source
        stop, share = stops[0] if len(stops) == 1 else (None, _NEVER)
        if stop is None or first.answers or not _is_told(stop.state.answers):
            return (None, _NEVER, ()), not of_source
        return (stop, share, stop.state.answers), not of_source


def _is_told(answers: Answers) -> bool:
    """Whether they are one answer, and not about the client's port or the addresses that the connection began with."""
    (question, _), *others = [literal for each in answers for literal in each.literals]
    return not others and "port " not in question and not question.startswith("--ct")


def _told(finish: Finish, packets: Packets, stopped: _Stop) -> Iterator[tuple[Finish, Packets]]:
    stop, share, when = stopped
    if stop is None:
        yield finish, packets
        return
    rows, state = range(len(packets)), finish.state
    told = replace(finish, reply=stop, state=state.with_answers(when) if when else state)
    yield told, packets if share == ALWAYS else packets.take(rows, share)
    if share != ALWAYS:
        otherwise = tuple([each.opposite for each in when])
        passing = state.with_answers(otherwise) if when else state
        yield replace(finish, state=passing), packets.take(rows, ALWAYS - share)


def _course(finish: Finish) -> Sequence[tuple[Hook, str | None, str | None]]:
    """The hooks that a reply passes, each with the interfaces that it arrives on and leaves by."""
    connection, there = finish.state.connection, finish.state.node.out_interface
    if connection.local and finish.delivered:
        return (
            (Hook.OUTPUT, NO_INTERFACE, LOOPBACK),
            (Hook.POSTROUTING, NO_INTERFACE, LOOPBACK),
            (Hook.PREROUTING, LOOPBACK, NO_INTERFACE),
            (Hook.INPUT, LOOPBACK, NO_INTERFACE),
        )
    if connection.local:
        return (Hook.PREROUTING, there, NO_INTERFACE), (Hook.INPUT, there, NO_INTERFACE)
    back = connection.in_interface
    if finish.delivered:
        return (Hook.OUTPUT, NO_INTERFACE, back), (Hook.POSTROUTING, NO_INTERFACE, back)
    return (Hook.PREROUTING, there, NO_INTERFACE), (Hook.FORWARD, there, back), (Hook.POSTROUTING, there, back)


def _one(state: PacketState, address: Address | None, port: int | None) -> Travellers:
    travellers = Travellers()
    travellers.gather(state, Packets((0,), (Heading(address, port),), (ALWAYS,)))
    return travellers


def _to_client(travellers: Travellers) -> Travellers:
    restored = Travellers()
    for state, packets in travellers.items():
        client = Heading(state.connection.source, state.connection.source_port)
        restored.gather(state, packets.bound_for(client))
    return restored
