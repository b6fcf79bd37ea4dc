"""A set without networks and exceptions, looked up for many packets at once: a table by destination."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from operator import itemgetter
from typing import cast

from ipt_explain.model import Family
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.model.node.ipsets import Dimension, ElementPart, IpSet
from ipt_explain.netfilter.cached import cached
from ipt_explain.netfilter.header import parse_address, parse_ipv4
from ipt_explain.netfilter.ipsets.elements import WHOLE, Key, MaskedElement, key_of
from ipt_explain.netfilter.ipsets.shown import Shown
from ipt_explain.netfilter.packet import Heading, known_addresses_of
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Whereabouts
from ipt_explain.records import Record

_ADDRESSES = frozenset({Dimension.IP, Dimension.NET})


class DestinationTable(Record, eq=False):
    """Whether a set contains packets, by the address, the port, or both, of their destination; `missing` applies to all
    others."""

    held: Mapping[object, Truth]
    missing: Truth
    address: bool
    port: bool

    def look_up(self, to: Sequence[Heading]) -> list[Truth]:
        """Whether the set contains each of these packets."""
        keys: Iterable[object] = to
        if not (self.address and self.port):
            keys = map(itemgetter(0 if self.address else 1), to)
        return list(map(self.held.get, keys, repeat(self.missing)))

    def unclear(self, to: Sequence[Heading]) -> Sequence[int]:
        """The rows of packets that do not show enough to be looked up."""
        return cached(to, _unclear, self.address, self.port)


def _unclear(to: Sequence[Heading], address: bool, port: bool) -> Sequence[int]:
    if not (address and known_addresses_of(to) is None) and not (port and None in map(itemgetter(1), to)):
        return ()
    return [
        row
        for row, heading in enumerate(to)
        if (address and not isinstance(heading.address, int)) or (port and heading.port is None)
    ]


class ExactElements:
    """The elements of such a set, a column for each dimension."""

    def __init__(self, found: IpSet, columns: Sequence[Sequence[Key]]) -> None:
        self._dimensions = found.dimensions
        self._complete = found.complete
        self._whole = (1 << ADDRESS_BITS[found.family or Family.IPV4]) - 1
        self._columns = columns

    @classmethod
    def of(cls, found: IpSet) -> ExactElements | None:
        """The elements of a set; None if it has networks, exceptions, or parts that cannot be read."""
        width = len(found.dimensions)
        if found.mask is not None or any(each.nomatch or len(each.parts) != width for each in found.elements):
            return None
        parts = zip(*[each.parts for each in found.elements]) if found.elements else [()] * width
        try:
            return cls(found, [_keys(found, *each) for each in zip(found.dimensions, parts)])
        except ValueError:
            return None

    def elements(self) -> list[MaskedElement]:
        """The elements one by one."""
        masks = tuple([self._whole if each in _ADDRESSES else WHOLE for each in self._dimensions])
        return [MaskedElement(keys, masks, False) for keys in zip(*self._columns)]

    def by_destination(self, values: Sequence[Shown | None], port_of: int) -> DestinationTable | None:
        """A table for packets with these values, None for each dimension that is their destination. `port_of` is the
        owner of their port. None if a set tests one part of the destination twice."""
        missing = Truth.NO if self._complete else Truth.UNKNOWN
        moving = [place for place, value in enumerate(values) if value is None]
        addresses = [place for place in moving if self._dimensions[place] in _ADDRESSES]
        ports = [place for place in moving if place not in addresses]
        if len(addresses) > 1 or len(ports) > 1:
            return None
        fits = self._fits(values)
        held: dict[object, Truth] = {}
        if fits is not None:
            columns: list[Iterable[object]] = [self._columns[place] for place in addresses]
            columns += [[number if of == port_of else None for of, number in self._ports(place)] for place in ports]
            keys = zip(*columns, repeat("")) if len(columns) == 2 else columns[0]
            for key, fit in zip(keys, fits):
                if fit is Truth.YES or (fit is Truth.UNKNOWN and key not in held):
                    held[key] = fit
        return DestinationTable(held, missing, bool(addresses), bool(ports))

    def _ports(self, place: int) -> Sequence[tuple[int, int]]:
        return cast("Sequence[tuple[int, int]]", self._columns[place])

    def _fits(self, values: Sequence[Shown | None]) -> Iterable[Truth] | None:
        """How each element fits what all packets share; None if no element does."""
        fits: Iterable[Truth] = repeat(Truth.YES)
        for value, column in zip(values, self._columns):
            if isinstance(value, Whereabouts) and value.ordinary:
                return None  # no single address is meant
            if value is not None:
                fits = map(Truth.__and__, fits, self._fitting(value, column))
        return fits

    def _fitting(self, value: Shown, column: Sequence[Key]) -> Iterator[Truth]:
        if isinstance(value, Truth):
            yield from repeat(value, len(column))
        elif isinstance(value, Whereabouts):
            for key in column:
                yield value.lies_in(key, self._whole) if isinstance(key, int) else Truth.NO
        elif isinstance(value, tuple) and value[1] is None:
            for key in column:
                yield Truth.UNKNOWN if isinstance(key, tuple) and key[0] == value[0] else Truth.NO
        else:
            for key in column:
                yield Truth.of(key == value)


def _keys(found: IpSet, dimension: Dimension, parts: Sequence[ElementPart]) -> Sequence[Key]:
    """One part of all elements. Raises ValueError if any has no number, or is a network."""
    if dimension in _ADDRESSES:
        texts = [part for part in parts if isinstance(part, str)]
        known = parse_ipv4(texts) if found.family is Family.IPV4 else None
        if len(texts) < len(parts):
            raise ValueError("an address is missing")
        return list(map(parse_address, texts)) if known is None else known
    known_keys: dict[ElementPart, Key] = {}
    for part in set(parts):
        key, mask = key_of(found, dimension, part)
        if mask != WHOLE:
            raise ValueError("a network")
        known_keys[part] = key
    return list(map(known_keys.__getitem__, parts))
