"""A packet on its way: what it is, and what rules have made of it so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ipt_explain.enums import Enum
from ipt_explain.model import Family
from ipt_explain.netfilter.assumptions import Answers, Assumption, Literals
from ipt_explain.netfilter.header.changes import UNCHANGED, HeaderChanges
from ipt_explain.netfilter.header.interfaces import NO_INTERFACE
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Address, Whereabouts
from ipt_explain.records import dataclass


class Tracking(Enum):
    """What connection tracking knows of the packet."""

    NOT_YET = "not yet"  # in raw, which comes first
    TEMPLATE = "template"  # in raw, once CT has said what the connection is to be like
    NEW = "new"
    CONFIRMED = "confirmed"  # once it has left: seen when a packet comes back over lo
    UNTRACKED = "untracked"  # `CT --notrack`: nat passes it by

    __hash__ = object.__hash__  # members are singletons; Enum's own hash is slow, and states are hashed all the time


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """The first packet of a new connection, as it was sent, but for where it is sent to.

    Ports are None where unknown or where there are none.
    """

    family: Family
    protocol: int
    source: Address
    source_port: int | None
    local: bool  # starts on the node itself
    in_interface: str | None = None  # None: unknown
    bridge_port: str = NO_INTERFACE  # the bridge's port that it came in by, if it came over a bridge
    icmp_type: int = 8
    icmp_code: int = 0


class Sets(Protocol):
    """IP sets that are known."""

    def holds(self, name: str, directions: Sequence[str], state: PacketState, to: Heading) -> Truth:
        """Whether a set holds what a packet shows in these directions (`src`, `dst`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """What is known of the node besides its rules.

    `local_addresses` are its own addresses; empty where they are not known; `first_addresses` those of known
    interfaces, with `all_interfaces` of all that have one; `foreign_addresses` are known to be none of its own. With
    `more_addresses` it has others than the local ones, too. `out_interface` is where packets leave it, None where
    unknown. `assumed` decides questions: the first whose text is part of the question. `sets` are its IP sets, None
    where none are known. Rules on the lines of `counted_together` count packets that others have counted before.
    """

    local_addresses: frozenset[int] = frozenset()
    out_interface: str | None = None
    assumed: tuple[tuple[str, bool], ...] = ()
    first_addresses: tuple[tuple[str, int], ...] = ()
    foreign_addresses: frozenset[int] = frozenset()
    more_addresses: bool = False
    sets: Sets | None = None
    all_interfaces: bool = False
    counted_together: frozenset[int] = frozenset()

    def assumption(self, question: str) -> bool | None:
        """What the user has said of a question."""
        for text, answer in self.assumed:
            if text in question:
                return answer
        return None


class Heading(NamedTuple):
    """Where a packet is bound for.

    `address` None is an address of the interface that it came by. `port` is None where unknown, or where there are
    none; `ports` is then the range that it lies in, if that is known.
    """

    address: Address | None
    port: int | None
    ports: str = ""


class Bound(NamedTuple):
    """What is a packet's own where a rule asks: where it is bound for by now and where it was sent; the rule's line."""

    to: Heading
    sent: Heading
    line: int = 0


class PacketState(NamedTuple):
    """What a crowd of packets has in common: all but where each is bound for. Equal states have equal futures.

    `in_interface` and `out_interface` are those that the current hook shows, NO_INTERFACE where it shows none, None
    where unknown. `answers` are the questions assumed so far. nat decides each way once (`destination_decided`,
    `source_decided`: the packet counts as masqueraded); `dnat` and `snat` tell whether that changed anything, as
    `--ctstate` sees it. `visits` are names of `recent` lists that hold an address, with the number of times seen.
    `counted` are the lines of the rules that have taken it by counting. `zone` is connection tracking's, None where it
    is the packet's mark; `header` what rules have changed in it.
    """

    connection: Connection
    node: Node
    hook: Hook
    source: Address
    source_port: int | None
    in_interface: str | None
    out_interface: str | None = NO_INTERFACE
    mark: int = 0
    connmark: int = 0
    tracking: Tracking = Tracking.NOT_YET
    destination_decided: bool = False
    source_decided: bool = False
    dnat: bool = False
    snat: bool = False
    answers: Answers = ()
    visits: frozenset[tuple[str, Address | None, int]] = frozenset()
    counted: tuple[int, ...] = ()
    zone: int | None = 0
    header: HeaderChanges = UNCHANGED

    @property
    def tracked(self) -> bool:
        """Whether it belongs to a connection, or to a template of one."""
        return self.tracking is not Tracking.NOT_YET and self.tracking is not Tracking.UNTRACKED

    def counted_by(self, line: int) -> PacketState:
        """The same packet, which a rule has taken by counting."""
        return self._replace(counted=(*self.counted, line))

    def answer(self, question: str) -> bool | None:
        """What the user or this packet's story has said of a question, or left as its only answer."""
        said = self.node.assumption(question)
        if said is not None or not self.answers:
            return said
        known = self._assumed(question)
        if known is not None:
            return known
        for each in self.answers:
            literals = each.literals
            if each.hold or len(literals) == 1:
                continue
            wanted = dict(literals).get(question)
            if wanted is not None and all(self._holds(*one) for one in literals if one[0] != question):
                return not wanted
        return None

    def _assumed(self, question: str) -> bool | None:
        for each in self.answers:
            literals = each.literals
            if len(literals) == 1:
                if literals[0][0] == question:
                    return literals[0][1] is each.hold
            elif each.hold:
                wanted = dict(literals).get(question)
                if wanted is not None:
                    return wanted
        return None

    def _holds(self, question: str, wanted: bool) -> bool:
        said = self.node.assumption(question)
        return (self._assumed(question) if said is None else said) is wanted

    def knowing(self, literals: Literals, hold: bool) -> PacketState:
        """The same packet, for which these answers hold, or do not all hold."""
        return self._replace(answers=(*self.answers, Assumption(literals, hold)))

    def with_answers(self, answers: Answers) -> PacketState:
        """The same packet, with other questions answered."""
        return self._replace(answers=answers)

    def owns(self, address: Address) -> Truth:
        """Whether an address is one of the node's.

        Loopback addresses are, and the source of a packet that starts on the node. Without a list of all of the node's
        addresses, nothing is known of another, but that the source of an arriving packet is not one, and that what is
        forwarded is neither from the node nor for it.
        """
        if isinstance(address, Whereabouts):
            return address.owned
        connection, local = self.connection, self.node.local_addresses
        if address in local or is_loopback(address, connection.family):
            return Truth.YES
        if address == connection.source:
            return Truth.of(connection.local)
        if address in self.node.foreign_addresses:
            return Truth.NO
        told = self.hook is Hook.FORWARD or (local and not self.node.more_addresses)
        return Truth.NO if told else Truth.UNKNOWN


def is_loopback(address: Address, family: Family) -> bool:
    """127.0.0.0/8 or ::1."""
    if isinstance(address, Whereabouts):
        return False
    return address >> 24 == 127 if family is Family.IPV4 else address == 1


def is_multicast(address: Address, family: Family) -> bool:
    """224.0.0.0/4 or ff00::/8."""
    if isinstance(address, Whereabouts):
        return False
    return address >> 28 == 0xE if family is Family.IPV4 else address >> 120 == 0xFF


def is_broadcast(address: Address, family: Family) -> bool:
    """What `addrtype` calls BROADCAST of its own accord: 0.0.0.0/8 and 255.255.255.255."""
    if isinstance(address, Whereabouts) or family is not Family.IPV4:
        return False
    return address >> 24 == 0 or address == 0xFFFFFFFF
