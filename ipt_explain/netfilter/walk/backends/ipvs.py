"""What IPVS does with a crowd of packets in LOCAL_IN or LOCAL_OUT: which ones it takes, and where it sends them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.model.node import VirtualServers
from ipt_explain.model.node.ipvs import VirtualServer
from ipt_explain.netfilter.condition import Question, ask, split
from ipt_explain.netfilter.ipvs.taking import Destination, Taken, take
from ipt_explain.netfilter.packet import Bound, Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, product
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.backends.ipvs_path import IpvsLeg, server_text
from ipt_explain.netfilter.walk.packets import Packets
from ipt_explain.records import Record
from ipt_explain.words import address_port

_UNCHANGED = "what the real server does with packets that direct routing or a tunnel brings it unchanged"


class Sent(Record, eq=False):
    """Packets that IPVS lets pass (`taken` False), takes, refuses or may take; ACCEPT for the first two."""

    verdict: Verdict
    state: PacketState
    packets: Packets
    taken: bool = False
    reason: str = ""


def ask_servers(
    servers: VirtualServers, state: PacketState, packets: Packets, sent: Sequence[Heading]
) -> Iterator[Sent]:
    """What IPVS does with packets of one state; `sent` is where each of the journey was sent to."""
    passing: list[int] = []
    for row, to in enumerate(packets.to):
        found = _found(servers, state, to)
        if found is Truth.NO:
            passing.append(row)
            continue
        one = packets.take([row])
        if isinstance(found, Truth):
            yield Sent(Verdict.UNKNOWN, state, one, reason="which virtual server takes it, if any")
            continue
        bound = Bound(to, sent[packets.who[row]])
        if found.refused:
            yield _refused(found.server, one, bound, state, state, one.shares[0])
            continue
        for share, after, heading in _choices(found, state, to):
            if heading is None:
                yield _refused(found.server, one, bound, state, after, product(one.shares[0], share))
                continue
            changed = after._replace(destination_decided=True, dnat=heading is not to)
            origin = _FromServer(found.server, one, bound, state, changed, heading)
            shares = [product(one.shares[0], share)]
            if heading is to:
                yield Sent(Verdict.UNKNOWN, changed, Packets(one.who, [to], shares, origin), reason=_UNCHANGED)
                continue
            yield Sent(Verdict.ACCEPT, changed, Packets(one.who, [heading], shares, origin), taken=True)
    if passing:
        yield Sent(Verdict.ACCEPT, state, packets if len(passing) == len(packets) else packets.take(passing))


def _refused(
    server: VirtualServer, one: Packets, bound: Bound, before: PacketState, after: PacketState, share: Probability
) -> Sent:
    """One packet that gets port-unreachable."""
    origin = _FromServer(server, one, bound, before, after, one.to[0])
    return Sent(Verdict.REJECT, after, Packets(one.who, one.to, [share], origin))


def _found(servers: VirtualServers, state: PacketState, to: Heading) -> Taken | Truth:
    connection = state.connection
    if not isinstance(to.address, int):
        return _at_any_address(servers, state, to)
    return take(servers, connection.family, connection.protocol, to.address, to.port, state.mark)


def _at_any_address(servers: VirtualServers, state: PacketState, to: Heading) -> Taken | Truth:
    """A node port on an address of the node that is not named: every address that has the port has the same servers."""
    connection = state.connection
    answers = [
        take(servers, connection.family, connection.protocol, address, to.port, state.mark)
        for address in _addresses_with(servers, state, to.port)
    ]
    taken = [answer for answer in answers if isinstance(answer, Taken)]
    return taken[0] if taken else Truth.NO if servers.complete else Truth.UNKNOWN


def _addresses_with(servers: VirtualServers, state: PacketState, port: int | None) -> Iterator[int]:
    from ipt_explain.netfilter.header import parse_address

    for server in servers.servers:
        if server.family is state.connection.family and server.port == port and server.address is not None:
            yield parse_address(server.address)


def _choices(
    found: Taken, state: PacketState, to: Heading
) -> Iterator[tuple[Probability, PacketState, Heading | None]]:
    """The real servers, each with its share; None is a refusal. Where load or the client decide, each is a question."""
    known = [destination.share for destination in found.destinations]
    if None not in known:
        for destination in found.destinations:
            yield destination.share or 0, state, _heading(destination, to)
        return
    share: Probability = ALWAYS
    for number, destination in enumerate(found.destinations):
        if number == len(found.destinations) - 1 and not found.may_be_refused:
            yield share, state, _heading(destination, to)
            return
        real = destination.real_server
        question = f"ipvs: {server_text(found.server)} sends it to {address_port(real.address, real.port)}"
        answer = ask(state, question)
        if isinstance(answer, Question):
            for branch in split((answer,), state):
                if branch.matches:
                    yield product(share, branch.share), branch.state, _heading(destination, to)
                else:
                    rest = branch
            share, state = product(share, rest.share), rest.state
        elif answer is Truth.YES:
            yield share, state, _heading(destination, to)
            return
    yield share, state, None


def _heading(destination: Destination, to: Heading) -> Heading:
    return to if destination.address is None else Heading(destination.address, destination.port)


class _FromServer:
    """Where one packet comes from: a virtual server."""

    __slots__ = ("_after", "_before", "_bound", "_packets", "_server", "_to")

    def __init__(
        self, server: VirtualServer, packets: Packets, bound: Bound, before: PacketState, after: PacketState,
        to: Heading,
    ) -> None:  # fmt: skip
        self._server = server
        self._packets = packets
        self._bound = bound
        self._before = before
        self._after = after
        self._to = to

    def leg(self, row: int) -> IpvsLeg:
        return IpvsLeg(self._server, self._before, self._after, self._bound, self._to)

    def before(self, row: int) -> tuple[Packets, int]:
        return self._packets, row
