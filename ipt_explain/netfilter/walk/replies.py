"""Replies and later packets: the packets of a known connection must pass the node's rules, too."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ipt_explain.model import Family, Ruleset
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.naming import with_named_destination
from ipt_explain.netfilter.packet import CLIENT_PORT, Heading, Known, PacketState, Tracking
from ipt_explain.netfilter.probability import ALWAYS, Probability, total
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.ends import Ends, Finish, StoppedReply
from ipt_explain.netfilter.walk.hook_walk import HookWalk
from ipt_explain.netfilter.walk.journey import by_first_interface, known_course
from ipt_explain.netfilter.walk.packets import Packets, Travellers
from ipt_explain.netfilter.walk.stages import NodeRules
from ipt_explain.netfilter.whereabouts import Whereabouts
from ipt_explain.records import Record, replace

if TYPE_CHECKING:
    from ipt_explain.netfilter.assumptions import Answers

_WORK = 1_000  # rules that one reply may evaluate; one that takes longer passes
_MOST_CONNECTIONS = 256  # followed one by one
_NEVER: Probability = 1 - ALWAYS
_LATER = (
    (Tracking.REPLY, False), (Tracking.ESTABLISHED, False), (Tracking.ESTABLISHED, True), (Tracking.REPLY, True),
)  # fmt: skip
"""The packets after the first, each with whether it has data: two set the connection up."""
_OF_DATA = (("tcp", "--tcp-flags"), ("tcp", "--syn"), ("sctp", "--chunk-types"))


class _Stop(Record):
    """What stops a reply, which share it stops, and under which assumptions if that is uncertain. `asked` are all
    questions of rules that may stop it."""

    reply: StoppedReply | None
    share: Probability
    when: Answers
    asked: frozenset[str]


class Replies:
    """Sends the first reply of every translated connection back through a node, and the client's next packet.

    Connection tracking undoes or repeats NAT without asking nat's rules, so few rules look at more than the state. One
    packet between an unknown endpoint and an unknown frontend therefore stands for all connections. They are followed
    one by one only if that raises different questions. A reply that depends on exactly one thing that the dump does not
    show is reported with it (`_is_reported`). Otherwise it counts as passed.
    """

    def __init__(self, node: NodeRules) -> None:
        self._node = node
        self._known: dict[Hashable, _Stop] = {}
        self._may_stop = not node.nat_only and (node.chains is not None or _may_stop(node.rulesets))
        sees_data = self._may_stop and (node.chains is not None or _sees_data(node.rulesets))
        self._packets = _LATER if sees_data else _LATER[:2]

    def checked(
        self, ends: Iterable[tuple[Finish, Packets]], sent: Sequence[Heading]
    ) -> Iterator[tuple[Finish, Packets]]:
        """The ends of first packets, given their original destinations; ends whose replies are stopped say so."""
        for finish, packets in ends:
            state = finish.state
            if not self._may_stop or finish.verdict is not Verdict.ACCEPT or not state.dnat or not state.tracked:
                yield finish, packets
                continue
            for over_lo, some in by_first_interface(finish, packets, sent):
                yield from self._with_stops_of(finish, some, over_lo, sent)

    def _with_stops_of(
        self, finish: Finish, packets: Packets, over_lo: bool, sent: Sequence[Heading]
    ) -> Iterator[tuple[Finish, Packets]]:
        stop = self._stop(finish, packets, over_lo, None, None)
        by_endpoint, by_frontend = self._depends(finish, packets, over_lo, stop, sent)
        if not by_endpoint and not by_frontend:
            yield from _with_stop(finish, packets, stop)
            return
        rows_of: dict[tuple[Heading | None, Heading | None], list[int]] = {}
        for row, (who, to) in enumerate(zip(packets.who, packets.to)):
            rows_of.setdefault((to if by_endpoint else None, sent[who] if by_frontend else None), []).append(row)
        if len(rows_of) > _MOST_CONNECTIONS:
            yield finish, packets
            return
        passing: list[int] = []
        for (endpoint, frontend), rows in rows_of.items():
            stop = self._stop(finish, packets, over_lo, endpoint, frontend)
            if stop.reply is None:
                passing += rows
            else:
                yield from _with_stop(finish, packets.take(rows), stop)
        if passing:
            yield finish, packets if len(passing) == len(packets) else packets.take(sorted(passing))

    def _depends(
        self, finish: Finish, packets: Packets, over_lo: bool, stop: _Stop, sent: Sequence[Heading]
    ) -> tuple[bool, bool]:
        """Whether what stops a reply depends on the endpoint, and whether it depends on the frontend."""
        if not stop.asked:
            return False, False
        endpoint, frontend = packets.to[0], sent[packets.who[0]]
        of_endpoint = self._stop(finish, packets, over_lo, endpoint, None)
        of_both = self._stop(finish, packets, over_lo, endpoint, frontend)
        return of_endpoint.asked != stop.asked, of_both.asked != of_endpoint.asked

    def _stop(
        self, finish: Finish, packets: Packets, over_lo: bool, endpoint: Heading | None, frontend: Heading | None
    ) -> _Stop:
        """What stops an endpoint's reply, or the client's next packet. With `endpoint` or `frontend` None, for any."""
        state = finish.state
        nat = state.source, state.source_port, state.dnat, state.snat
        about = finish.delivered, over_lo, bool(state.answers), endpoint, frontend
        key = state.connection, nat, state.connmark, state.zones, about
        if key not in self._known:
            stop = _Stop(None, _NEVER, (), frozenset())
            for tracking, data in self._packets:
                later = self._followed(finish, packets, over_lo, endpoint, frontend, tracking, data)
                stop = replace(later, asked=later.asked | stop.asked)
                if stop.reply is not None:
                    break
            self._known[key] = stop
        return self._known[key]

    def _followed(
        self, finish: Finish, connected: Packets, over_lo: bool, endpoint: Heading | None, frontend: Heading | None,
        tracking: Tracking, data: bool,
    ) -> _Stop:  # fmt: skip
        """The same for one packet. If connection tracking does not recognise it, the verdict is ACCEPT."""
        first = finish.state
        vip = _unknown("the frontend's address", first.connection.family) if frontend is None else frontend
        state, sent = _later_packet(first, endpoint, vip, tracking, data)
        ends, passes = self._walked(finish, over_lo, state, sent, vip)
        stops: list[tuple[StoppedReply, Probability]] = []
        stopped = _NEVER
        for end, packets in ends.apart():
            path = packets.path(0)
            if end.verdict is Verdict.ACCEPT and (path is None or path.untracking() is None):
                path = connected.path(0)  # it is the connection that is in a zone
            if end.verdict is Verdict.UNKNOWN or path is None:
                continue
            stops.append((StoppedReply(end.verdict, with_named_destination(end.state, vip), path), packets.shares[0]))
            if not end.state.answers:
                stopped = total(stopped, packets.shares[0])
        answers = [each for reply, _ in stops for each in reply.state.answers]
        asked = frozenset(question for each in answers for question, _ in each.literals)
        if not passes and all(end.verdict is not Verdict.UNKNOWN for end in ends):
            stopped = ALWAYS
        if stopped:
            return _Stop(max(stops, key=_decides)[0], stopped, (), asked)
        reply, share = stops[0] if len(stops) == 1 else (None, _NEVER)
        if reply is None or first.answers or not _is_reported(reply, finish):
            return _Stop(None, _NEVER, (), asked)
        return _Stop(reply, share, reply.state.answers, asked)

    def _walked(
        self, finish: Finish, over_lo: bool, state: PacketState, sent: Heading, vip: Heading
    ) -> tuple[Ends, bool]:
        """The ends of a later packet that does not get through as part of its connection, and whether any of it
        does."""
        hooks, travellers = HookWalk(self._node, (vip,), _WORK), Travellers()
        travellers.gather(state, Packets((0,), (sent,), (ALWAYS,)))
        replies = state.connection.known is not None and state.connection.known.tracking is Tracking.REPLY
        for hook, in_interface, out_interface in known_course(finish, over_lo, replies):
            passing = hooks.through(hook, travellers, in_interface, out_interface, balanced=True)
            travellers = Travellers()
            for passed, packets in passing.items():
                if passed.is_known:
                    travellers.gather(passed, packets)
                else:
                    hooks.ends.add(Finish(Verdict.ACCEPT, passed), packets)
        return hooks.ends, bool(travellers)


def _decides(stop: tuple[StoppedReply, Probability]) -> tuple[Probability, bool]:
    """A sort key for the stop to report: the one that stops most, then one that does not depend on other rules'
    conditions."""
    reply, share = stop
    return share, not any(answer.affirmed for answer in reply.state.answers)


def _later_packet(
    first: PacketState, endpoint: Heading | None, vip: Heading, tracking: Tracking, data: bool
) -> tuple[PacketState, Heading]:
    """A later packet of a connection as it sets out, and its destination."""
    connection, replies = first.connection, tracking is Tracking.REPLY
    server = endpoint
    if server is None or server.address is None:
        server = _unknown("the endpoint's address", connection.family)
    client = Heading(connection.source, connection.source_port or CLIENT_PORT)
    seen = Heading(first.source, first.source_port or client.port)
    source, sent = (server, seen) if replies else (client, vip)
    known = Known(tracking, server, seen, *((vip, client) if replies else (seen, server)), first.zones, data)
    assert source.address is not None
    state = first._replace(
        connection=replace(connection, known=known),
        source=source.address,
        source_port=source.port,
        mark=0,
        tracking=Tracking.NOT_YET,
        zones=(0, 0),
        destination_decided=True,
        source_decided=True,
        answers=(),
        visits=frozenset(),
        counted=(),
    )
    return state, sent


def _may_stop(rulesets: Sequence[Ruleset]) -> bool:
    """Whether rules may stop a reply, or rules that may do so are not shown."""
    if any(ruleset.fragment for ruleset in rulesets):
        return True
    from ipt_explain.netfilter.walk.known_connections import may_stop_known

    return may_stop_known(rulesets)


def _sees_data(rulesets: Sequence[Ruleset]) -> bool:
    """Whether a rule outside nat may distinguish packets with data from those that set up the connection."""
    tables = [table for ruleset in rulesets for name, table in ruleset.tables.items() if name != "nat"]
    layouts = {chain.layout for table in tables for chain in table.chains.values()}
    shapes = {shape for layout in layouts for shape in layout.shapes}
    return any(shape.match_option(*option) is not None for shape in shapes for option in _OF_DATA)


def _unknown(label: str, family: Family) -> Heading:
    return Heading(Whereabouts(label, family, owned=Truth.UNKNOWN), None)


def _is_reported(stop: StoppedReply, finish: Finish) -> bool:
    """Whether a doubtful stop is worth reporting: it depends on one thing, and first packets do not show the same.

    That is so if the rule tests the connection's state, if first packets do not pass its hook, or if it keeps
    connection tracking from recognising the packet.
    """
    passed = {Hook.OUTPUT: finish.state.connection.local, Hook.INPUT: finish.delivered}
    if stop.verdict is not Verdict.ACCEPT and passed.get(stop.state.hook, True):
        from ipt_explain.netfilter.walk.path import Step

        step = stop.path.last()
        shape = step.rule.shape if isinstance(step, Step) and step.rule is not None else None
        if shape is None or not (shape.has_match("conntrack") or shape.has_match("state")):
            return False
    return sum(len(each.literals) for each in stop.state.answers) == 1


def _with_stop(finish: Finish, packets: Packets, stopped: _Stop) -> Iterator[tuple[Finish, Packets]]:
    stop, share, when = stopped.reply, stopped.share, stopped.when
    if stop is None:
        yield finish, packets
        return
    rows, state = range(len(packets)), finish.state
    ended = replace(finish, reply=stop, state=state.with_answers(when) if when else state)
    yield ended, packets if share == ALWAYS else packets.take(rows, share)
    if share != ALWAYS:
        otherwise = tuple([each.opposite for each in when])
        passing = state.with_answers(otherwise) if when else state
        yield replace(finish, state=passing), packets.take(rows, ALWAYS - share)
