"""An index of a long chain by destination: most of its rules match a single address or port, and can be skipped without
evaluation."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import cast

from ipt_explain.model import Chain, Shape
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.netfilter.cached import CachedColumn, cached
from ipt_explain.netfilter.header import HIGHEST_PORT, parse_address, parse_ipv4, single_address
from ipt_explain.netfilter.packet import Heading, addresses_of, headings, known_addresses_of, ports_of
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.chains.callees import Jumps
from ipt_explain.netfilter.whereabouts import Whereabouts

_WORTH_AN_INDEX = 32
"""Of chains with fewer rules for single addresses or ports, all rules are asked one by one."""

_LONGEST_PORT = 5

# These matches have no side effects.
_PLAIN_MATCHES = frozenset({"comment", "addrtype", "tcp", "udp", "sctp"})


class ChainIndex:
    """The places of the rules for a single address (`-d ADDRESS`), a single port, or both, and of all `others`, in
    order."""

    def __init__(self, chain: Chain) -> None:
        self.others: list[int] = []
        self._own: dict[tuple[object, int | None], list[int]] = {}
        self._places: dict[Heading, Sequence[int]] = {}
        self._about: dict[Whereabouts, Mapping[int | None, Sequence[int]]] = {}
        layout = chain.layout
        slots: dict[Shape, tuple[int | None, int | None]] = {}
        for place, (shape, start) in enumerate(zip(layout.shapes, layout.offsets)):
            if shape not in slots:
                slots[shape] = _address_slot(shape), _port_slot(shape)
            host, dport = slots[shape]
            address = None if host is None else single_address(chain.at(start + host))
            port = None if dport is None else _port(chain.at(start + dport))
            if address is None and port is None:
                self.others.append(place)
            else:
                self._own.setdefault((address, port), []).append(place)
        self._wide = any(None in key for key in self._own)
        self._addresses = {address for address, _ in self._own}
        self._ports = {port for address, port in self._own if address is None}
        self._shapes = layout.shapes
        self._asked: tuple[object, ...] = ()
        self._found: Sequence[tuple[int, int]] = ()
        self._grouped: Sequence[tuple[int, int]] = ()
        self._groups: Sequence[tuple[Sequence[int], Sequence[int]]] = ()
        self.pays = len(layout) - len(self.others) >= _WORTH_AN_INDEX

    def own(
        self, to: Sequence[Heading], rows: Sequence[int], starts: int | Sequence[int]
    ) -> Sequence[tuple[int, int]]:
        """The first rule for exactly each packet's address or port, with the packet's row, in the order of the rules.

        `starts` is where packets search from, one place for all or one each. The last result is kept: several vantage
        points ask the same.
        """
        if self._addresses.isdisjoint(addresses_of(to)) and self._ports.isdisjoint(ports_of(to)):
            return ()
        asked = to, rows, starts
        if self._asked != asked:
            self._asked, self._found = asked, sorted(self._own_rules(to, rows, starts))
        return self._found

    def _own_rules(
        self, to: Sequence[Heading], rows: Sequence[int], starts: int | Sequence[int]
    ) -> Iterator[tuple[int, int]]:
        known = self._own
        for row, start in zip(rows, repeat(starts) if isinstance(starts, int) else starts):
            places = self._places.get(to[row])
            if places is None:
                address, port, _ = to[row]
                places = known.get((address, port), ())
                if self._wide:
                    places = sorted({*places, *known.get((address, None), ()), *known.get((None, port), ())}) or ()
                self._places[to[row]] = places
            at = bisect_left(places, start)
            if at < len(places):
                yield places[at], row

    def by_shape(self, own: Sequence[tuple[int, int]]) -> Sequence[tuple[Sequence[int], Sequence[int]]]:
        """The rows and places of `own`, grouped by the rules' shape."""
        if self._grouped != own:
            groups: dict[Shape, list[tuple[int, int]]] = {}
            for place, row in own:
                groups.setdefault(self._shapes[place], []).append((row, place))
            self._grouped = own
            columns = [zip(*sorted(same)) for same in groups.values()]
            self._groups = [(rows, CachedColumn(places)) for rows, places in columns]
        return self._groups

    def unclear(self, to: Sequence[Heading], rows: Sequence[int]) -> Sequence[int]:
        """The rows of packets whose destination is not known well enough: rules for other addresses or ports may match
        them, too."""
        if cached(to, _all_known):
            return ()
        unknown = [row for row in rows if type(to[row].address) is not int or to[row].port is None]
        return [row for row in unknown if not self._has_all(to[row])]

    def may_match(self, to: Iterable[Heading], start: int) -> Sequence[int]:
        """The places, from `start` on, of all rules that may match packets with such destinations."""
        found: set[int] = set()
        for heading in dict.fromkeys(to):
            if heading.port is None or not isinstance(heading.address, Whereabouts):
                return range(start, len(self._shapes))
            about = self._places_about(heading.address)
            for port in (heading.port, None):
                found.update(about.get(port, ()), self._own.get((None, port), ()))
        return sorted(place for place in found.union(self.others) if place >= start)

    def _has_all(self, to: Heading) -> bool:
        address = to.address
        if to.port is None or not isinstance(address, Whereabouts):
            return False
        about = self._places_about(address)
        return to.port not in about and None not in about

    def _places_about(self, address: Whereabouts) -> Mapping[int | None, Sequence[int]]:
        """The places of the rules for single addresses that an unknown address may be, by port."""
        about = self._about.get(address)
        if about is None:
            whole = (1 << ADDRESS_BITS[address.family]) - 1
            places: dict[int | None, list[int]] = {}
            for (each, port), own in self._own.items():
                if isinstance(each, int) and address.lies_in(each, whole) is not Truth.NO:
                    places.setdefault(port, []).extend(own)
            about = self._about[address] = places
        return about


def _all_known(to: Sequence[Heading]) -> bool:
    return known_addresses_of(to) is not None and None not in ports_of(to)


def _address_slot(shape: Shape) -> int | None:
    option = shape.core_option("-d")
    return None if option is None or option.negated else option.slots[0]


def _port_slot(shape: Shape) -> int | None:
    """The slot of the destination port, if every condition before it is free of side effects."""
    for match in shape.matches:
        if match.module not in _PLAIN_MATCHES:
            break
        for option in match.options:
            if option.name == "--dport" and not option.negated:
                return option.slots[0]
    return None


class Destinations(dict[str, Heading | None]):
    """DNAT's destinations by their text; None for anything but one address and port."""

    def of(
        self, texts: Sequence[str | None], hosts: Sequence[str | None], ports: Sequence[int | None]
    ) -> Sequence[Heading | None]:
        """The destinations of several texts, given their parts; None for a text without such a part. IPv4 is parsed all
        at once."""
        addresses = parse_ipv4(hosts)
        if addresses is None or not all(port is not None and 0 < port <= HIGHEST_PORT for port in set(ports)):
            return [None if text is None else self[text] for text in texts]
        found = list(headings(addresses, ports))
        self.update(zip(cast("Sequence[str]", texts), found))
        return found

    def all_of(self, texts: Sequence[str]) -> Sequence[Heading] | None:
        """The destinations of several texts, if each is one address and port."""
        found = CachedColumn(map(self.__getitem__, texts))
        return cast("CachedColumn[Heading]", found) if all(found) else None

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
        return Heading._make((parse_address(host), number, ""))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _port(text: str) -> int | None:
    number = int(text) if text.isdecimal() and len(text) <= _LONGEST_PORT else 0
    return number if 0 < number <= HIGHEST_PORT else None


class ChainIndexes:
    """What walks over a node's rules have looked up so far: indexes of long chains, targets of jumps, destinations of
    DNAT."""

    def __init__(self) -> None:
        self._indexes: dict[Chain, ChainIndex | None] = {}
        self.jumps = Jumps()
        self.destinations = Destinations()

    def forget(self) -> None:
        """Free what was looked up, a sixth of a large node's memory. It is looked up again on demand."""
        self._indexes.clear()
        self.jumps = Jumps()
        self.destinations.clear()

    def of(self, chain: Chain) -> ChainIndex | None:
        """A chain's index, made on first use; None if few of its rules are for single addresses or ports."""
        if len(chain.layout) >= _WORTH_AN_INDEX and chain not in self._indexes:
            index = ChainIndex(chain)
            self._indexes[chain] = index if index.pays else None
        return self._indexes.get(chain)
