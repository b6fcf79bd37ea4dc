"""What IPVS does with a crowd of packets in LOCAL_IN or LOCAL_OUT: which ones it takes, and where it sends them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.model.node import VirtualServers
from ipt_explain.model.node.ipvs import VirtualServer
from ipt_explain.netfilter.condition import Question, ask, split
from ipt_explain.netfilter.ipvs.taking import Balancers, Destination, Taken, balancers
from ipt_explain.netfilter.naming import asks_of_bound, with_named_bound
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, product, products
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.backends.ipvs_path import IpvsLeg, server_text
from ipt_explain.netfilter.walk.columns import picked
from ipt_explain.netfilter.walk.packets import Packets
from ipt_explain.records import Record
from ipt_explain.words import address_port

_UNCHANGED = "what the real server does with packets that direct routing or a tunnel brings it unchanged"


class Sent(Record, eq=False):
    """Packets that IPVS does not take (`taken` False), takes, refuses or may take. The verdict is ACCEPT for the first
    two."""

    verdict: Verdict
    state: PacketState
    packets: Packets
    taken: bool = False
    reason: str = ""


def ask_servers(servers: VirtualServers, state: PacketState, packets: Packets) -> Iterator[Sent]:
    """What IPVS does with packets in one state."""
    if asks_of_bound(state.answers):  # that is about to change
        for row, to in enumerate(packets.to):
            yield from ask_servers(servers, with_named_bound(state, to), packets.take([row]))
        return
    asked = balancers(servers)
    passing: list[int] = []
    unclear: list[int] = []
    refused: list[Sent] = []
    going: dict[tuple[PacketState, bool], _Sending] = {}
    for row, to in enumerate(packets.to):
        found = _found(asked, state, to)
        if found is Truth.NO:
            passing.append(row)
        elif isinstance(found, Truth):
            unclear.append(row)
        elif found.refused:
            refused.append(_Sending(state, packets).refused(row, found.server, state))
        else:
            for share, after, destinations in _choices(found, state):
                if not destinations:
                    refused.append(_Sending(state, packets).refused(row, found.server, after, share))
                for moves in (True, False):
                    headings = [each.to or to for each in destinations if (each.to is not None) is moves]
                    if headings:
                        sending = going.setdefault((after, moves), _Sending(state, packets))
                        sending.add(row, found.server, headings, share)
    if unclear:
        some = packets.take(unclear)
        yield Sent(Verdict.UNKNOWN, state, some, reason="which virtual server takes it, if any")
    for (after, moves), sending in going.items():
        changed = after._replace(destination_decided=True, dnat=moves)
        if moves:
            yield Sent(Verdict.ACCEPT, changed, sending.packets(changed), taken=True)
        else:
            yield Sent(Verdict.UNKNOWN, changed, sending.packets(changed), reason=_UNCHANGED)
    yield from refused
    if passing:
        yield Sent(Verdict.ACCEPT, state, packets if len(passing) == len(packets) else packets.take(passing))


def _found(asked: Balancers, state: PacketState, to: Heading) -> Taken | Truth:
    connection = state.connection
    if not isinstance(to.address, int):
        return _at_any_address(asked, state, to)
    return asked.take(connection.family, connection.protocol, to.address, to.port, state.mark)


def _at_any_address(asked: Balancers, state: PacketState, to: Heading) -> Taken | Truth:
    """A node port at an address of the node that is not known by name: every address with the port has the same
    servers."""
    family, protocol = state.connection.family, state.connection.protocol
    for address in () if to.port is None else asked.index.addresses_with(family, to.port):
        taken = asked.take(family, protocol, address, to.port, state.mark)
        if isinstance(taken, Taken):
            return taken
    return Truth.NO if asked.index.complete else Truth.UNKNOWN


def _choices(found: Taken, state: PacketState) -> Iterator[tuple[Probability, PacketState, Sequence[Destination]]]:
    """The real servers, each with an equal share; a refusal if there are none. If load or the client decides, each is a
    question."""
    if found.dealt is not None:
        for stated, alike in found.dealt:
            yield stated, state, alike
        return
    share: Probability = ALWAYS
    for number, destination in enumerate(found.destinations):
        if number == len(found.destinations) - 1 and not found.may_be_refused:
            yield share, state, (destination,)
            return
        real = destination.real_server
        question = f"ipvs: {server_text(found.server)} sends it to {address_port(real.address, real.port)}"
        answer = ask(state, question)
        if isinstance(answer, Question):
            for branch in split((answer,), state):
                if branch.matches:
                    yield product(share, branch.share), branch.state, (destination,)
                else:
                    rest = branch
            share, state = product(share, rest.share), rest.state
        elif answer is Truth.YES:
            yield share, state, (destination,)
            return
    yield share, state, ()


class _Sending:
    """Packets in one state that virtual servers send on: which packet goes where, with which share."""

    def __init__(self, before: PacketState, packets: Packets) -> None:
        self._before = before
        self._packets = packets
        self._rows: list[int] = []
        self._servers: list[VirtualServer] = []
        self._to: list[Heading] = []
        self._shares: list[Probability] = []

    def add(self, row: int, server: VirtualServer, to: Sequence[Heading], share: Probability) -> None:
        """Add a packet that a server sends to several places, with an equal share for each."""
        self._rows += [row] * len(to)
        self._servers += [server] * len(to)
        self._to += to
        self._shares += [share] * len(to)

    def refused(self, row: int, server: VirtualServer, after: PacketState, share: Probability = ALWAYS) -> Sent:
        """Add a packet, or a share of it, that is refused with port-unreachable."""
        self.add(row, server, (self._packets.to[row],), share)
        return Sent(Verdict.REJECT, after, self.packets(after))

    def packets(self, after: PacketState) -> Packets:
        """All of them; rows with the same packet and destination become one."""
        who = picked(self._packets.who, self._rows)
        shares = products(picked(self._packets.shares, self._rows), self._shares)
        origin = _FromServers(self._packets, self._rows, self._servers, self._before, after, self._to)
        packets = Packets(who, self._to, shares, origin)
        if len(set(zip(who, self._to))) == len(who):
            return packets
        return Packets.joined([packets.take([row]) for row in range(len(who))])


class _FromServers(Record, eq=False):
    """Where packets come from: virtual servers. `rows` are their rows in `packets`, `to` is where each was sent."""

    packets: Packets
    rows: Sequence[int]
    servers: Sequence[VirtualServer]
    state: PacketState
    after: PacketState
    to: Sequence[Heading]

    def leg(self, row: int) -> IpvsLeg:
        """A packet's path through its server."""
        return IpvsLeg(self.servers[row], self.state, self.after, self.to[row])

    def before(self, row: int) -> tuple[Packets, int]:
        """The packet before its server took it."""
        return self.packets, self.rows[row]
