"""Addresses that no dump shows, such as an ordinary pod's, and what is known about them."""

from __future__ import annotations

from ipt_explain.model import Family
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.netfilter.header import format_address
from ipt_explain.netfilter.truth import Truth
from ipt_explain.records import Record

Bits = tuple[int, int]
"""A network as (value, mask)."""


class Whereabouts(Record, eq=False):
    """An unknown address, and where it may lie.

    `label` names it. `within`: it lies in one of these networks; empty if nothing is known. `outside`: it lies in none
    of these. `apart`: it is none of these addresses. `ordinary`: no rule for a single address means it. `owned`:
    whether it is one of the node's.
    """

    label: str
    family: Family
    within: tuple[Bits, ...] = ()
    outside: tuple[Bits, ...] = ()
    apart: frozenset[int] = frozenset()
    ordinary: bool = False
    owned: Truth = Truth.NO

    def lies_in(self, value: int, mask: int) -> Truth:
        """Whether it lies in a network."""
        if mask == 0:
            return Truth.YES
        if mask == (1 << ADDRESS_BITS[self.family]) - 1 and (self.ordinary or value in self.apart):
            return Truth.NO
        if any(network_contains(other, (value, mask)) for other in self.outside):
            return Truth.NO
        if self.within:
            if all(network_contains((value, mask), network) for network in self.within):
                return Truth.YES
            if not any(_meet(network, (value, mask)) for network in self.within):
                return Truth.NO
        return Truth.UNKNOWN

    def lies_between(self, first: int, last: int) -> Truth:
        """Whether it is one of the addresses from first to last."""
        everything = (1 << ADDRESS_BITS[self.family]) - 1
        if first == last:
            return self.lies_in(first, everything)

        def spans(networks: tuple[Bits, ...]) -> list[tuple[int, int]]:
            return [(value, value | (everything ^ mask)) for value, mask in networks]

        if any(low <= first and last <= high for low, high in spans(self.outside)):
            return Truth.NO
        within = spans(self.within)
        if within and all(first <= low and high <= last for low, high in within):
            return Truth.YES
        if within and all(high < first or last < low for low, high in within):
            return Truth.NO
        return Truth.UNKNOWN

    def __str__(self) -> str:
        return self.label


Address = int | Whereabouts
"""An address of a packet: known, or partly known."""


def lies_in(address: Address, value: int, mask: int) -> Truth:
    """Whether an address lies in a network."""
    if isinstance(address, int):
        return Truth.of(address & mask == value)
    return address.lies_in(value, mask)


def address_text(address: Address, family: Family) -> str:
    """An address as text; the label of an unknown one."""
    return format_address(address, family) if isinstance(address, int) else address.label


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
    """Addresses that `addrtype` calls BROADCAST on every node: 0.0.0.0/8 and 255.255.255.255."""
    if isinstance(address, Whereabouts) or family is not Family.IPV4:
        return False
    return address >> 24 == 0 or address == 0xFFFFFFFF


def network_contains(outer: Bits, inner: Bits) -> bool:
    """Whether one network contains another."""
    return outer[1] & inner[1] == outer[1] and inner[0] & outer[1] == outer[0]


def _meet(one: Bits, other: Bits) -> bool:
    shared = one[1] & other[1]
    return one[0] & shared == other[0] & shared
