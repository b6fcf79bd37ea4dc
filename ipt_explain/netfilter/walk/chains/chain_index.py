"""A long chain by destination: most of its rules are for one address or one port each, and are passed over without
being asked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from functools import lru_cache

from ipt_explain.model import Chain, Shape
from ipt_explain.netfilter.header.addresses import BITS, network_bits, parse_address
from ipt_explain.netfilter.header.ports import HIGHEST
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.chains.callees import Jumps
from ipt_explain.netfilter.whereabouts import Whereabouts

_WORTH_AN_INDEX = 32
"""Of chains with fewer rules for single addresses or ports, all rules are asked one by one."""

_LONGEST_PORT = 5
_WHOLE_ADDRESS = frozenset({(1 << 32) - 1, (1 << 128) - 1})

# Whatever these matches say, nothing else comes of asking them.
_PLAIN_MATCHES = frozenset({"comment", "addrtype", "tcp", "udp", "sctp"})


class ChainIndex:
    """The places of the rules with `-d ADDRESS`, by address, and of all others, in order; of both kinds, which are for
    one port.
    """

    def __init__(self, chain: Chain) -> None:
        self.by_address: dict[int, list[int]] = {}
        self.others: list[int] = []
        self._port: dict[int, int] = {}
        self._by_port: dict[int | None, list[int]] = {}
        self._about: dict[Whereabouts, list[int]] = {}
        layout = chain.layout
        slots: dict[Shape, tuple[int | None, int | None]] = {}
        for place, shape in enumerate(layout.shapes):
            if shape not in slots:
                slots[shape] = _address_slot(shape), _port_slot(shape)
            (host, dport), start = slots[shape], layout.offsets[place]
            address = None if host is None else _whole_address(chain.at(start + host))
            port = None if dport is None else _port(chain.at(start + dport))
            if port is not None:
                self._port[place] = port
            if address is None:
                self.others.append(place)
                self._by_port.setdefault(port, []).append(place)
            else:
                self.by_address.setdefault(address, []).append(place)
        self.pays = len(layout) - len(self._by_port.get(None, ())) >= _WORTH_AN_INDEX

    def first_at(self, address: object, start: int) -> int | None:
        """The first place from `start` on of a rule for this address."""
        places = self.by_address.get(address)  # type: ignore[call-overload]  # what is no number is not found
        if places is None:
            return None
        if places[0] >= start:
            return int(places[0])
        later = bisect_left(places, start)
        return int(places[later]) if later < len(places) else None

    def about(self, address: Whereabouts, ports: Collection[int | None]) -> Sequence[int]:
        """The places of the rules for single addresses of which an unknown address may be one, that packets to these
        ports may match."""
        known = self._about.get(address)
        if known is None:
            whole = (1 << BITS[address.family]) - 1
            known = self._about[address] = [
                place
                for each, places in self.by_address.items()
                if address.lies_in(each, whole) is not Truth.NO
                for place in places
            ]
        wanted = {None, *ports}
        return known if None in ports else [place for place in known if self._port.get(place) in wanted]

    def others_from(self, start: int, ports: Collection[int | None]) -> Sequence[int]:
        """The places from `start` on of the other rules that packets to these ports, None where unknown, may match."""
        if None in ports:
            return self.others[bisect_left(self.others, start) :]
        found = (self._by_port.get(port, ()) for port in (None, *ports))
        return sorted([place for places in found for place in places if place >= start])


def _address_slot(shape: Shape) -> int | None:
    option = shape.core_option("-d")
    return None if option is None or option.negated else option.slots[0]


def _port_slot(shape: Shape) -> int | None:
    """The place of a port that packets must be bound for, if all that is asked ahead of it is plain."""
    for match in shape.matches:
        if match.module not in _PLAIN_MATCHES:
            break
        for option in match.options:
            if option.name == "--dport" and not option.negated:
                return option.slots[0]
    return None


class _Destinations(dict[str, Heading | None]):
    """Where DNAT sends packets, by its text: None for what is not one address and port."""

    def __missing__(self, text: str) -> Heading | None:
        heading = self[text] = _plain(text)
        return heading


def _plain(text: str) -> Heading | None:
    host, _, port = text.rpartition(":")
    number = _port(port)
    if number is None:
        return None
    if host[:1] == "[":
        host = host[1:].removesuffix("]")
    try:
        return Heading(parse_address(host), number)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _port(text: str) -> int | None:
    number = int(text) if text.isdecimal() and len(text) <= _LONGEST_PORT else 0
    return number if 0 < number <= HIGHEST else None


class ChainIndexes:
    """What walks over one node's rules have looked up so far: indexes of long chains, where jumps lead, destinations
    of DNAT.
    """

    def __init__(self) -> None:
        self._indexes: dict[Chain, ChainIndex | None] = {}
        self.jumps = Jumps()
        self.destinations: dict[str, Heading | None] = _Destinations()

    def of(self, chain: Chain) -> ChainIndex | None:
        """A chain's index, made when first asked for; None where few of its rules are for single addresses or
        ports."""
        if len(chain.layout) >= _WORTH_AN_INDEX and chain not in self._indexes:
            index = ChainIndex(chain)
            self._indexes[chain] = index if index.pays else None
        return self._indexes.get(chain)


def _whole_address(text: str) -> int | None:
    try:
        value, mask = network_bits(text)
    except ValueError:
        return None
    return value if mask in _WHOLE_ADDRESS else None
