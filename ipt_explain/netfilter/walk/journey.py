"""Packets through every hook, in netfilter's order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.netfilter.condition import OWN_DESTINATION, Branch, Question, ask, own_address_question, split
from ipt_explain.netfilter.header import NO_INTERFACE
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.ends import Finish
from ipt_explain.netfilter.walk.hook_walk import MOST_WORK, HookWalk
from ipt_explain.netfilter.walk.packets import Packets, Travellers
from ipt_explain.netfilter.walk.routing import routed
from ipt_explain.netfilter.walk.stages import NodeRules
from ipt_explain.records import replace

LOOPBACK = "lo"
NO_HOPS_LEFT = "its TTL has run out"
_MANY_HOPS = 32  # packets begin with 64 or more and pass fewer routers than this


class Journey:
    """A crowd's path through all hooks and backends, for packets of one family.

    `sent` has each packet's original destination; they share everything else. `work` is how many rules it may evaluate.
    """

    def __init__(self, node: NodeRules, sent: Sequence[Heading], work: int = MOST_WORK) -> None:
        self._node = node
        self._sent = sent
        self._work = work
        self._hooks = HookWalk(node, sent, work)

    @property
    def supposed(self) -> Sequence[str]:
        """The assumptions about chains that a fragment does not show."""
        return self._hooks.unshown.supposed

    def begin(self, start: PacketState) -> None:
        """Send the crowd on its way, from the node itself or from where it arrives.

        If rules turn out to count packets that others have counted, everything is evaluated again with these as
        questions.
        """
        set_out = self._depart if start.connection.local else self._arrive
        set_out(start)
        together = _counted_together(finish.state.counted for finish in self._hooks.ends)
        if together:
            self._hooks = HookWalk(self._node, self._sent, self._work)
            set_out(start._replace(node=replace(start.node, counted_together=together)))

    def forward(self, start: PacketState) -> None:
        """Forward the crowd after nat's PREROUTING: FORWARD and POSTROUTING alone."""
        self._forward(start, self._all(start))

    def ends(self) -> Iterator[tuple[Finish, Packets]]:
        """Every end with its packets. Each rule or policy that stops packets is a separate end.

        Assumptions about packets' own destinations do not name these yet (see `with_named_destination`).
        """
        ends = self._hooks.ends
        if all(finish.verdict is not Verdict.REJECT for finish in ends):
            return ends.by_decider()
        from ipt_explain.netfilter.walk.rejections import Rejections

        return Rejections(self._node, self._sent).checked(ends.by_decider())

    def _arrive(self, start: PacketState) -> None:
        """Packets that arrive: PREROUTING, routing, then INPUT, or FORWARD and POSTROUTING."""
        travellers = self._all(start)
        travellers = self._hooks.through(Hook.PREROUTING, travellers, start.connection.in_interface, NO_INTERFACE)
        local, forwarded = routed(travellers, self._hooks.ends, self._sent)
        self._deliver(self._hooks.through(Hook.INPUT, local, start.connection.in_interface, NO_INTERFACE))
        self._send_balanced(start)
        self._forward(start, forwarded)

    def _forward(self, start: PacketState, travellers: Travellers) -> None:
        in_interface, out = start.connection.in_interface, start.node.out_interface
        forwarded = self._hooks.through(Hook.FORWARD, self._one_hop(travellers), in_interface, out)
        self._leave(self._hooks.through(Hook.POSTROUTING, forwarded, in_interface, out))

    def _depart(self, start: PacketState) -> None:
        """Packets that the node sends: OUTPUT and POSTROUTING; packets to the node itself then come back in by lo.

        All tables in OUTPUT see the interface that the packet was first routed to, POSTROUTING the one after DNAT.
        """
        local, leaving = routed(self._all(start), self._hooks.ends, self._sent)
        out = start.node.out_interface
        travellers = Travellers()
        for some, interface in ((local, LOOPBACK), (leaving, out)):
            for state, packets in self._hooks.through(Hook.OUTPUT, some, NO_INTERFACE, interface).items():
                travellers.gather(state, packets)
        local, leaving = routed(travellers, self._hooks.ends, self._sent)
        self._leave(self._hooks.through(Hook.POSTROUTING, leaving, NO_INTERFACE, out))
        self._send_balanced(start)
        local = self._hooks.through(Hook.POSTROUTING, local, NO_INTERFACE, LOOPBACK)
        local = self._hooks.through(Hook.PREROUTING, local, LOOPBACK, NO_INTERFACE)
        self._deliver(self._hooks.through(Hook.INPUT, local, LOOPBACK, NO_INTERFACE))

    def _send_balanced(self, start: PacketState) -> None:
        """Packets that IPVS sends to other machines: OUTPUT from its beginning, and POSTROUTING."""
        taken, self._hooks.balanced = self._hooks.balanced, Travellers()
        out = start.node.out_interface
        leaving = self._hooks.through(Hook.OUTPUT, taken, NO_INTERFACE, out, balanced=True)
        self._leave(self._hooks.through(Hook.POSTROUTING, leaving, NO_INTERFACE, out))

    def _one_hop(self, travellers: Travellers) -> Travellers:
        """Forwarded packets lose one hop before FORWARD; the kernel answers those with none left by an ICMP error."""
        going = Travellers()
        for state, packets in travellers.items():
            for branch in _with_hops_left(state):
                some = packets if branch.share is ALWAYS else packets.take(range(len(packets)), branch.share)
                if branch.matches:
                    going.gather(branch.state._replace(header=state.header.hops_changed(-1)), some)
                else:
                    self._hooks.ends.add(Finish(Verdict.REJECT, branch.state, NO_HOPS_LEFT), some)
        return going

    def _all(self, start: PacketState) -> Travellers:
        travellers = Travellers()
        travellers.gather(start, Packets(range(len(self._sent)), self._sent, [ALWAYS] * len(self._sent)))
        return travellers

    def _deliver(self, travellers: Travellers) -> None:
        self._hooks.ends.add_all(travellers, Verdict.ACCEPT, delivered=True)

    def _leave(self, travellers: Travellers) -> None:
        self._hooks.ends.add_all(travellers, Verdict.ACCEPT)


def by_first_interface(finish: Finish, packets: Packets, sent: Sequence[Heading]) -> Iterable[tuple[bool, Packets]]:
    """The packets, divided by whether OUTPUT sees them leave by lo: the node's own packets to its known addresses. NAT
    may then send each elsewhere."""
    if not finish.state.connection.local:
        return ((False, packets),)
    over_lo = {who: _sent_to_itself(finish.state, sent[who]) for who in dict.fromkeys(packets.who)}
    rows_of: dict[bool, list[int]] = {}
    for row, who in enumerate(packets.who):
        rows_of.setdefault(over_lo[who], []).append(row)
    if len(rows_of) == 1:
        return tuple((each, packets) for each in rows_of)
    return tuple((each, packets.take(rows)) for each, rows in rows_of.items())


def _sent_to_itself(state: PacketState, sent: Heading) -> bool:
    """Whether the node has a packet's original destination, as far as known or assumed."""
    if sent.address is None:
        return False
    owned = state.owns(sent.address)
    if owned is not Truth.UNKNOWN:
        return owned is Truth.YES
    names = (OWN_DESTINATION, own_address_question(sent.address, state.connection.family))
    return any(state.answer(question) for question in names)


def known_course(finish: Finish, over_lo: bool, replies: bool) -> Sequence[tuple[Hook, str | None, str | None]]:
    """The hooks that a reply or the client's next packet passes, each with the interfaces that it arrives on and leaves
    by.

    `over_lo`: the client's packets leave by lo until NAT sends them elsewhere.
    """
    connection, node = finish.state.connection, finish.state.node
    here = (connection.local, connection.in_interface), (finish.delivered, node.out_interface)
    (begins, arriving), (ends, leaving) = reversed(here) if replies else here
    first = LOOPBACK if over_lo and not replies else leaving
    if begins and ends:
        return (
            (Hook.OUTPUT, NO_INTERFACE, LOOPBACK if replies else first),
            (Hook.POSTROUTING, NO_INTERFACE, LOOPBACK),
            (Hook.PREROUTING, LOOPBACK, NO_INTERFACE),
            (Hook.INPUT, LOOPBACK, NO_INTERFACE),
        )
    if begins:
        return (Hook.OUTPUT, NO_INTERFACE, first), (Hook.POSTROUTING, NO_INTERFACE, leaving)
    before = (Hook.PREROUTING, arriving, NO_INTERFACE)
    if ends:
        return before, (Hook.INPUT, arriving, NO_INTERFACE)
    return before, (Hook.FORWARD, arriving, leaving), (Hook.POSTROUTING, arriving, leaving)


def _with_hops_left(state: PacketState) -> Sequence[Branch]:
    """Whether a packet may be forwarded. An unknown TTL is enough unless rules have lowered it by many."""
    hops, by = state.header.hops, state.header.hops_by
    if hops is not None or by > -_MANY_HOPS:
        return (Branch(ALWAYS, hops is None or hops > 1, state),)
    answer = ask(state, f"it has come with a TTL above {1 - by}")
    return split((answer,), state) if isinstance(answer, Question) else (Branch(ALWAYS, answer is Truth.YES, state),)


def _counted_together(counted: Iterable[tuple[int, ...]]) -> frozenset[int]:
    """The rules that count (`--mode nth`) both packets that other rules have counted and packets that they have not: no
    dump shows how their counters relate."""
    ahead: dict[int, set[tuple[int, ...]]] = {}
    for lines in set(counted):
        for place, line in enumerate(lines):
            ahead.setdefault(line, set()).add(lines[:place])
    return frozenset(line for line, different in ahead.items() if len(different) > 1)
