"""How the packets of a crowd end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ipt_explain.netfilter.packet import PacketState, Tracking
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.chains.table import Arrival
from ipt_explain.netfilter.walk.packets import Entered, Packets, Travellers
from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.netfilter.walk.path import AnyStep, Path


class StoppedReply(Record, eq=False):
    """A reply, or the client's next packet, that is dropped or rejected, and its path.

    If connection tracking does not recognise it, so that NAT is not undone, `verdict` is ACCEPT.
    """

    verdict: Verdict
    state: PacketState
    path: Path

    @property
    def is_reply(self) -> bool:
        """Whether it is the reply, not the client's next packet."""
        known = self.state.connection.known
        return known is not None and known.tracking is Tracking.REPLY

    @property
    def step(self) -> AnyStep | None:
        """The step that decides."""
        return self.path.untracking() if self.verdict is Verdict.ACCEPT else self.path.last()


class Finish(Record):
    """How the journey of some packets ends. `delivered`: the node itself received them. `reply`: they arrive, but this
    reply or later packet is stopped."""

    verdict: Verdict
    state: PacketState
    reason: str = ""
    delivered: bool = False
    reply: StoppedReply | None = None


class Ends:
    """All ends that packets have reached so far."""

    def __init__(self) -> None:
        self._groups: dict[Finish, list[Packets]] = {}

    def __iter__(self) -> Iterator[Finish]:
        return iter(self._groups)

    def add(self, finish: Finish, packets: Packets) -> None:
        """Add packets that end here."""
        if packets.who:
            self._groups.setdefault(finish, []).append(packets)

    def settle(self, arrivals: Iterable[Arrival], entered: Entered, passing: Travellers) -> None:
        """Record the ends of packets that a table stops; packets that it accepts go on in `passing`."""
        for arrival in arrivals:
            end, packets = arrival.end, Packets.arrived(arrival, entered)
            if end.verdict is Verdict.ACCEPT:
                passing.gather(end.state, packets)
            else:
                self.add(Finish(end.verdict, end.state, end.reason), packets)

    def add_all(self, travellers: Travellers, verdict: Verdict, reason: str = "", delivered: bool = False) -> None:
        """Record that all of these packets end like this."""
        for state, packets in travellers.items():
            self.add(Finish(verdict, state, reason, delivered), packets)

    def apart(self) -> Iterator[tuple[Finish, Packets]]:
        """Each end with its packets, group by group as they were added."""
        for finish, groups in self._groups.items():
            for packets in groups:
                yield finish, packets

    def by_decider(self) -> Iterator[tuple[Finish, Packets]]:
        """Each end with its packets. For packets that are stopped, there is one end per rule or policy that stops
        some."""
        for finish, groups in self._groups.items():
            for packets in [Packets.joined(groups)] if finish.verdict is Verdict.ACCEPT else groups:
                yield finish, packets
