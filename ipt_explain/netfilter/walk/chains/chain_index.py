"""A long chain by destination: most of its rules are for one address each, and are passed over without being asked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from ipt_explain.model import Chain, Shape
from ipt_explain.netfilter.header.addresses import BITS, network_bits, parse_address
from ipt_explain.netfilter.header.ports import HIGHEST
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.chains.callees import Jumps
from ipt_explain.netfilter.whereabouts import Whereabouts

WORTH_AN_INDEX = 32
"""Chains with fewer rules than this are asked one by one."""

_LONGEST_PORT = 5
_WHOLE_ADDRESS = frozenset({(1 << 32) - 1, (1 << 128) - 1})


class ChainIndex:
    """The places of the rules with `-d ADDRESS`, by address, and of all `others`, in order."""

    def __init__(self, chain: Chain) -> None:
        self.by_address: dict[int, list[int]] = {}
        self.others: list[int] = []
        self._about: dict[Whereabouts, list[int]] = {}
        layout = chain.layout
        slots: dict[Shape, int | None] = {}
        for place, shape in enumerate(layout.shapes):
            if shape not in slots:
                option = shape.core_option("-d")
                slots[shape] = None if option is None or option.negated else option.slots[0]
            slot = slots[shape]
            address = None if slot is None else _whole_address(chain.at(layout.offsets[place] + slot))
            if address is None:
                self.others.append(place)
            else:
                self.by_address.setdefault(address, []).append(place)

    def first_at(self, address: object, start: int) -> int | None:
        """The first place from `start` on of a rule for this address."""
        places = self.by_address.get(address)  # type: ignore[call-overload]  # what is no number is not found
        if places is None:
            return None
        if places[0] >= start:
            return int(places[0])
        later = bisect_left(places, start)
        return int(places[later]) if later < len(places) else None

    def about(self, address: Whereabouts) -> Sequence[int]:
        """The places of the rules for single addresses of which an unknown address may be one."""
        known = self._about.get(address)
        if known is None:
            whole = (1 << BITS[address.family]) - 1
            known = self._about[address] = [
                place
                for each, places in self.by_address.items()
                if address.lies_in(each, whole) is not Truth.NO
                for place in places
            ]
        return known

    def others_from(self, start: int) -> Sequence[int]:
        """The places of the other rules from `start` on."""
        return self.others[bisect_left(self.others, start) :]


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
        self._indexes: dict[Chain, ChainIndex] = {}
        self.jumps = Jumps()
        self.destinations: dict[str, Heading | None] = _Destinations()

    def of(self, chain: Chain) -> ChainIndex:
        """A chain's index, made when first asked for."""
        index = self._indexes.get(chain)
        if index is None:
            index = self._indexes[chain] = ChainIndex(chain)
        return index


def _whole_address(text: str) -> int | None:
    try:
        value, mask = network_bits(text)
    except ValueError:
        return None
    return value if mask in _WHOLE_ADDRESS else None
