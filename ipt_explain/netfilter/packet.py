"""A packet on its way: its connection, and how rules have changed it so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from ipt_explain.enums import Enum
from ipt_explain.model import Family
from ipt_explain.netfilter.cached import cached
from ipt_explain.netfilter.header import NO_INTERFACE
from ipt_explain.netfilter.header.changes import UNCHANGED, HeaderChanges
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Address, Whereabouts, is_loopback
from ipt_explain.records import NamedTuple, Record

if TYPE_CHECKING:
    from typing import Protocol

    from ipt_explain.netfilter.assumptions import Answers, Literals

    class Sets(Protocol):
        """Known IP sets."""

        def holds(self, name: str, directions: Sequence[str], state: PacketState, to: Heading) -> Truth:
            """Whether a set has a packet's values in these directions (`src`, `dst`)."""

        def hold_each(
            self, name: str, directions: Sequence[str], state: PacketState, to: Sequence[Heading]
        ) -> Sequence[Truth]:
            """The same for each of many packets."""


class Tracking(Enum):
    """What connection tracking knows about the packet."""

    NOT_YET = "not yet"  # in raw, which comes first
    TEMPLATE = "template"  # in raw, after CT has prepared the connection
    NEW = "new"
    CONFIRMED = "confirmed"  # once it has left; seen by a packet that comes back over lo
    REPLY = "reply"  # of an established connection, as is the client's next packet:
    ESTABLISHED = "established"
    RELATED = "related"  # an error that answers a packet of the connection
    INVALID = "invalid"  # an error that answers a packet which is not tracked
    UNTRACKED = "untracked"  # `CT --notrack`: nat ignores it


_WITHOUT_CONNECTION = frozenset({Tracking.NOT_YET, Tracking.INVALID, Tracking.UNTRACKED})
_FIRST_FLAGS = frozenset({"SYN"})
_RESET_FLAGS = frozenset({"RST", "ACK"})
_LATER_FLAGS = {Tracking.REPLY: frozenset({"SYN", "ACK"}), Tracking.ESTABLISHED: frozenset({"ACK"})}
_DATA_FLAGS = frozenset({"ACK", "PSH"})
_LATER_CHUNKS = {Tracking.REPLY: "INIT_ACK", Tracking.ESTABLISHED: "COOKIE_ECHO"}

Zones = tuple["int | None", "int | None"]
"""A connection's zones of connection tracking: in its own direction, and for replies. None is the packet's mark."""

CLIENT_PORT = 49_500
"""The port of clients whose port is not known: one that Linux gives them (32768 to 60999) and other systems, too (from
49152), and that hardly any rule singles out."""


class Known(Record, eq=False):
    """What connection tracking knows about a packet of an answered connection: `tracking` is REPLY or ESTABLISHED;
    replies come from `server` and go to `client`. NAT makes the packet come from `source` and go `to` another place. It
    is part of the connection's set-up, or has `data`, which TCP and SCTP send later."""

    tracking: Tracking
    server: Heading
    client: Heading
    source: Heading
    to: Heading
    zones: Zones
    data: bool = False


class Connection(Record, eq=False):
    """The first packet of a new connection as it was sent, without its destination.

    Ports are None if unknown, or if the protocol has none. `known` is None for the first packet itself.
    """

    family: Family
    protocol: int
    source: Address
    source_port: int | None
    local: bool  # starts on the node itself
    in_interface: str | None = None  # None: unknown
    bridge_port: str = NO_INTERFACE  # the bridge port that it arrived on, if any
    icmp_type: int = 8
    icmp_code: int = 0
    known: Known | None = None


class Node(Record, eq=False):
    """What is known about the node besides its rules.

    `local_addresses` are its own addresses, empty if unknown; with `more_addresses` it may have others.
    `first_addresses` has an address for each known interface, and with `all_interfaces` for every interface that has
    one. `foreign_addresses` are known not to be its own; whether it has one of `doubtful_addresses` is asked even of
    packets that NAT sends there. `out_interface` is where packets leave it, None if unknown.
    `assumed` answers questions: the first text that is part of the question decides. `sets` are its IP sets, None if
    none are known. Rules on the lines `counted_together` count packets that other rules have counted before.
    `shared_questions` are asked of a packet's source instead of others, by where it is sent: ten thousand of a crowd
    that each ask for an address of their own Service then stay together. `names_later`: so do those that ask sets for
    where they are bound for, as whoever follows the crowd names the places (`naming`).
    """

    local_addresses: frozenset[int] = frozenset()
    out_interface: str | None = None
    assumed: Literals = ()
    first_addresses: tuple[tuple[str, int], ...] = ()
    foreign_addresses: frozenset[int] = frozenset()
    doubtful_addresses: frozenset[int] = frozenset()
    more_addresses: bool = False
    sets: Sets | None = None
    all_interfaces: bool = False
    counted_together: frozenset[int] = frozenset()
    shared_questions: Mapping[Heading, Mapping[str, str]] = MappingProxyType({})
    names_later: bool = False

    def assumption(self, question: str) -> bool | None:
        """The user's answer to a question; None without one."""
        if not self.assumed:
            return None
        from ipt_explain.netfilter.assumptions import user_answer

        return user_answer(self.assumed, question)


class Heading(NamedTuple):
    """A packet's destination. `address` None is an address of the interface that it arrived on. `port` is None if
    unknown, or if the protocol has none; `ports` is then the range that it lies in, if known."""

    address: Address | None
    port: int | None
    ports: str = ""


def headings(addresses: Iterable[Address | None], ports: Iterable[int | None]) -> Iterator[Heading]:
    """Destinations from their addresses and ports: faster than one by one."""
    return map(_HEADING, zip(addresses, ports, repeat("")))


_HEADING = partial(tuple.__new__, Heading)  # `Heading._make` without its Python


def addresses_of(to: Sequence[Heading]) -> frozenset[Address | None]:
    """The different addresses of destinations."""
    return cached(to, _addresses)


def ports_of(to: Sequence[Heading]) -> frozenset[int | None]:
    """The different ports of destinations."""
    return cached(to, _ports)


def known_addresses_of(to: Sequence[Heading]) -> frozenset[int] | None:
    """The different addresses of destinations, if all are known."""
    return cached(to, _known_addresses)


def _addresses(to: Sequence[Heading]) -> frozenset[Address | None]:
    return frozenset(map(itemgetter(0), to))


def _ports(to: Sequence[Heading]) -> frozenset[int | None]:
    return frozenset(map(itemgetter(1), to))


def _known_addresses(to: Sequence[Heading]) -> frozenset[int] | None:
    addresses = addresses_of(to)
    return cast("frozenset[int]", addresses) if set(map(type, addresses)) == {int} else None


class Bound(NamedTuple):
    """A packet's current and original destination at a rule, and the rule's line."""

    to: Heading
    sent: Heading
    line: int = 0


class PacketState(NamedTuple):
    """What the packets of a crowd have in common: everything except their destinations. Equal states have equal
    futures.

    `in_interface` and `out_interface` are those of the current hook: NO_INTERFACE if it has none, None if unknown.
    `answers` are the assumptions so far. nat decides destination and source once each (`destination_decided`;
    `source_decided`: the packet counts as masqueraded); `dnat` and `snat` say whether that changed anything, as
    `--ctstate` sees it. `visits` are the `recent` lists and sets that have an address, with the number of times seen.
    `counted` are the lines of the rules that took the packet by counting. `header` has rules' changes of the IP
    header.
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
    zones: Zones = (0, 0)
    header: HeaderChanges = UNCHANGED

    @property
    def is_known(self) -> bool:
        """Whether it belongs to an answered connection."""
        return self.tracking is Tracking.REPLY or self.tracking is Tracking.ESTABLISHED

    @property
    def tcp_flags(self) -> frozenset[str]:
        """Its flags, if it is a TCP packet."""
        known = self.connection.known
        if self.tracking is Tracking.RELATED or self.tracking is Tracking.INVALID:
            return _RESET_FLAGS
        if known is None:
            return _FIRST_FLAGS
        return _DATA_FLAGS if known.data else _LATER_FLAGS[known.tracking]

    @property
    def sctp_chunk(self) -> str:
        """The type of its only chunk, if it is an SCTP packet."""
        known = self.connection.known
        if known is None:
            return "INIT"
        return "DATA" if known.data else _LATER_CHUNKS[known.tracking]

    @property
    def tracked(self) -> bool:
        """Whether it belongs to a connection, or to the template of one."""
        return self.tracking not in _WITHOUT_CONNECTION

    def counted_by(self, line: int) -> PacketState:
        """The same packet after a rule has taken it by counting."""
        return self._replace(counted=(*self.counted, line))

    def answer(self, question: str) -> bool | None:
        """The answer to a question, by the user or by earlier assumptions about this packet; None if it is open."""
        given = self.node.assumption(question)
        if given is not None or not self.answers:
            return given
        from ipt_explain.netfilter.assumptions import known_answers

        return known_answers(self.answers, self.node.assumed).get(question)

    def knowing(self, literals: Literals, hold: bool) -> PacketState:
        """The same packet, assuming that these answers hold, or that not all of them do."""
        from ipt_explain.netfilter.assumptions import Assumption

        return self._replace(answers=(*self.answers, Assumption(literals, hold)))

    def with_answers(self, answers: Answers) -> PacketState:
        """The same packet with other assumptions."""
        return self._replace(answers=answers)

    def owns(self, address: Address) -> Truth:
        """Whether an address is one of the node's.

        Loopback addresses are, and so is the source of the node's own packets. Without a complete list of the node's
        addresses all others are unknown, except that the source of an arriving packet is not the node's, and neither
        address of a forwarded packet is.
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
        return Truth.NO if self._knows_own else Truth.UNKNOWN

    def owns_none(self, addresses: frozenset[Address | None]) -> bool:
        """Whether none of these addresses can be the node's, apart from loopback."""
        known = self.node.local_addresses
        return self._knows_own and self.connection.source not in addresses and known.isdisjoint(addresses)

    @property
    def _knows_own(self) -> bool:
        """Whether an address about which nothing is known is not the node's."""
        return self.hook is Hook.FORWARD or (bool(self.node.local_addresses) and not self.node.more_addresses)
