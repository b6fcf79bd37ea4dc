"""A long chain by destination: most of its rules are for one address or one port each, and are passed over without
being asked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
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
    """The places of the rules with `-d ADDRESS`, by address, of those for one port of any address, by port, and of all
    `others`, in order.
    """

    def __init__(self, chain: Chain) -> None:
        self.others: list[int] = []
        self._chain = chain
        self._by_address: dict[object, list[int]] = {}
        self._by_port: dict[object, list[int]] = {}
        self._port_slots = {shape: _port_slot(shape) for shape in set(chain.layout.shapes)}
        self._about: dict[Whereabouts, frozenset[int | None]] = {}
        address_slots = {shape: _address_slot(shape) for shape in self._port_slots}
        for place, (shape, start) in enumerate(zip(chain.layout.shapes, chain.layout.offsets)):
            slot = address_slots[shape]
            address = None if slot is None else _whole_address(chain.at(start + slot))
            if address is not None:
                self._by_address.setdefault(address, []).append(place)
                continue
            port = self._port(place)
            if port is not None:
                self._by_port.setdefault(port, []).append(place)
            else:
                self.others.append(place)
        self.pays = len(chain.layout) - len(self.others) >= _WORTH_AN_INDEX

    def own(self, to: Heading, start: int) -> int | None:
        """The first place from `start` on of a rule for the very address or port that a packet is bound for."""
        by_address, by_port = self._by_address.get(to.address), self._by_port.get(to.port)
        first = None if by_address is None else _first(by_address, start)
        other = None if by_port is None else _first(by_port, start)
        if first is None or other is None:
            return other if first is None else first
        return min(first, other)

    def has_all(self, to: Heading) -> bool:
        """Whether packets that are bound there match no rules but `others` and those of which `own` tells."""
        address = to.address
        if to.port is None or address is None:
            return False
        if isinstance(address, int):
            return True
        ports = self._about.get(address)
        if ports is None:
            ports = self._about[address] = frozenset(map(self._port, self._places_about(address)))
        return to.port not in ports and None not in ports

    def _places_about(self, address: Whereabouts) -> Iterator[int]:
        """The rules for single addresses of which an unknown address may be one."""
        whole = (1 << BITS[address.family]) - 1
        for each, places in self._by_address.items():
            if isinstance(each, int) and address.lies_in(each, whole) is not Truth.NO:
                yield from places

    def _port(self, place: int) -> int | None:
        """The one port that a rule is for."""
        layout = self._chain.layout
        slot = self._port_slots[layout.shapes[place]]
        return None if slot is None else _port(self._chain.at(layout.offsets[place] + slot))


def _first(places: Sequence[int], start: int) -> int | None:
    if places[0] >= start:
        return places[0]
    later = bisect_left(places, start)
    return places[later] if later < len(places) else None


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
