"""What a trace's outcomes mean for the client that sent the packet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from ipt_explain.columns import columns
from ipt_explain.enums import Enum
from ipt_explain.records import Record
from ipt_explain.services.fates import Loss
from ipt_explain.words import address_port

if TYPE_CHECKING:
    from ipt_explain.analyzers.selection import Naming
    from ipt_explain.model import Dump
    from ipt_explain.netfilter.packet import PacketState
    from ipt_explain.services.fates import Lost
    from ipt_explain.services.ports import Frontend, Placement, ServicePort
    from ipt_explain.trace.outcome import Outcome
    from ipt_explain.trace.packet import Packet

_MOST_ENDPOINTS = 3


class Judgement(Enum):
    """The result for the client, in the words of `--expect`."""

    SERVED = "served"  # accepted; for a Service, by an endpoint
    REFUSED = "refused"  # answered with an error
    DROPPED = "dropped"  # the client times out
    UNTRANSLATED = "untranslated"  # leaves for a Service's address, which no host has
    DIVERTED = "diverted"  # sent to something other than an endpoint of the Service
    UNANSWERED = "unanswered"  # arrives, but the reply or what follows it is stopped
    HANGS = "hangs"  # comes back to the client from its own address
    UNKNOWN = "unknown"


class Addressee(Record):
    """The Service that a packet is sent to, and the address."""

    service: ServicePort
    frontend: Frontend

    @property
    def endpoints(self) -> str:
        """Where it would lead: `10.244.1.2:53 or 10.244.1.3:53`."""
        from ipt_explain.words import either

        known = [address_port(each.address, each.port) for each in self.service.endpoints if each.address is not None]
        more = [f"{len(known) - _MOST_ENDPOINTS} more"] if len(known) > _MOST_ENDPOINTS else []
        return either([*known[:_MOST_ENDPOINTS], *more])


    def placement_of(self, endpoint: str | None) -> Placement | None:
        """What the cluster's objects say about an endpoint `ip:port`; None without objects, or for other addresses."""
        fields = columns(self.service.endpoints, ("address", "port", "placement"))
        places = (place for address, port, place in zip(*fields) if address and address_port(address, port) == endpoint)
        return next(places, None)


class ClosedPort(Record):
    """A port of a ClusterIP that no Service has. `services` have others."""

    services: tuple[ServicePort, ...]


To: TypeAlias = "Addressee | ClosedPort | None"
"""What a packet is sent to; None if that is no address of a Service."""


def addressee(
    dump: Dump,
    packet: Packet,
    start: PacketState,
    outcomes: Sequence[Outcome],
    named: Naming | None = None,
) -> To:
    """The Service whose ClusterIP or external address a packet is sent to, if any, or the Services with other ports. Of
    a node port, only if it may not be what leads the packet where it goes.

    Raises NoServices if the dump has none at all.
    """
    from ipt_explain.analyzers import explain
    from ipt_explain.analyzers.selection import NoServices
    from ipt_explain.netfilter.header import parse_address

    sent, total = parse_address(packet.destination), 0

    def wanted(_: object, hosts: Iterable[str | None]) -> bool:
        nonlocal total
        total += 1
        return any(_is(host, sent) for host in hosts)

    found = explain(dump, wanted)
    if not total and not found.services:
        raise NoServices.of(found)
    protocol = packet.connection().protocol
    known = _matching(found.services if named is None else named(found).services, packet, protocol)
    return known or _node_port(dump, packet, start, outcomes, named)


def _node_port(
    dump: Dump, packet: Packet, start: PacketState, outcomes: Sequence[Outcome], named: Naming | None
) -> Addressee | None:
    """The Service whose node port a packet is sent to and may miss."""
    from ipt_explain.analyzers import explain
    from ipt_explain.netfilter.header import parse_address, protocol_number
    from ipt_explain.netfilter.truth import Truth

    owned = start.owns(parse_address(packet.destination))
    if owned is Truth.NO or not any(_may_miss(outcome, owned is Truth.YES) for outcome in outcomes):
        return None
    protocol = packet.connection().protocol
    found = explain(dump, lambda _, hosts: None in hosts)
    for service in found.services if named is None else named(found).services:
        for frontend in service.frontends if protocol_number(service.protocol) == protocol else ():
            if frontend.address is None and frontend.port == packet.port:
                return Addressee(service, frontend)
    return None


def _may_miss(outcome: Outcome, owned: bool) -> bool:
    """Whether a packet to a port of the node arrives somewhere without a Service's rules."""
    from ipt_explain.analyzers.names import ChainRole, role_of

    if outcome.verdict != "ACCEPT":
        return False
    if outcome.dnat is None:
        return bool(outcome.delivered)
    return owned and all(role_of(step.chain.name) is not ChainRole.ENDPOINT for step in outcome.path)


def _matching(services: Sequence[ServicePort], packet: Packet, protocol: object) -> To:
    from ipt_explain.netfilter.header import parse_address, protocol_number

    sent = parse_address(packet.destination)
    for service in services:
        for frontend in service.frontends if protocol_number(service.protocol) == protocol else ():
            if frontend.port == packet.port and _is(frontend.address, sent):
                return Addressee(service, frontend)
    others = tuple(service for service in services if _is(service.cluster_ip, sent))
    return ClosedPort(others) if others else None


def _is(text: str | None, address: int) -> bool:
    from ipt_explain.netfilter.header import parse_address

    try:
        return text is not None and parse_address(text) == address
    except ValueError:
        return False  # a network, or a name


def judged(outcome: Outcome, packet: Packet, to: To) -> Judgement:
    """What an outcome means for the client of a packet sent `to` a Service or something else."""
    if outcome.verdict != "ACCEPT":
        named = {"DROP": Judgement.DROPPED, "REJECT": Judgement.REFUSED}
        return named.get(outcome.verdict, Judgement.UNKNOWN)
    if outcome.reply is not None:
        return Judgement.UNANSWERED
    if outcome.dnat is None:
        return Judgement.UNTRANSLATED if _misses(to, bool(outcome.delivered)) else Judgement.SERVED
    if not outcome.masqueraded and outcome.dnat.rpartition(":")[0].strip("[]") == packet.source:
        return Judgement.HANGS
    if isinstance(to, Addressee):
        known = {address_port(each.address, each.port) for each in to.service.endpoints if each.address is not None}
        if outcome.dnat not in known and (len(known) == len(to.service.endpoints) or _diverts(to, outcome)):
            return Judgement.DIVERTED
    return Judgement.SERVED


def _misses(to: To, delivered: bool) -> bool:
    """Whether a packet that keeps its destination misses the Service that it is sent to. On the node itself, a program
    may answer in its place; a node port of any other address is none."""
    if not isinstance(to, Addressee):
        return to is not None and not delivered
    if not delivered:
        return to.frontend.address is not None
    return all(lost.how is not Loss.INTERCEPTED for lost in _losses(to))


def _losses(to: Addressee) -> Sequence[Lost]:
    fates = to.frontend.fates
    return [] if fates is None else [lost for _, fate in fates.items() for lost in fate.lost]


def _diverts(to: Addressee, outcome: Outcome) -> bool:
    """Whether a rule on the path is known to send the Service's connections elsewhere, as a DNAT to a range does."""
    diverting = {(each.decider.chain, each.decider.line) for each in _losses(to) if each.how is Loss.DIVERTED}
    return any((step.chain.name, step.line) in diverting for step in outcome.path)
