"""Whether a value matches a constant, a prefix or a range."""

from __future__ import annotations

from collections.abc import Callable
from operator import ge, gt, le, lt

from ipt_explain.model import nft
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.netfilter.header import interface_fits
from ipt_explain.netfilter.nft.values.constants import Datatype, bits_of, canonical
from ipt_explain.netfilter.nft.values.intervals import NUMBER_BITS
from ipt_explain.netfilter.nft.values.kinds import UNKNOWN, AddressType, Chance, Nothing, Reading
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Whereabouts


def fits(reading: Reading, constant: nft.Expression, kind: Datatype, state: PacketState) -> Truth:
    """Whether a value equals the constant, or lies in the prefix or range."""
    if type(reading) is int and kind is not Datatype.INTERFACE:
        number = canonical(constant, kind)
        if type(number) is int:
            return Truth.YES if reading == number else Truth.NO
    if isinstance(constant, nft.Wildcard):
        return Truth.YES
    if reading is UNKNOWN:
        return _unknown_interface(constant, kind)
    if isinstance(reading, Whereabouts):
        return _lies_in(reading, constant, state)
    if isinstance(reading, AddressType):
        return Truth.UNKNOWN if constant in ("local", reading.otherwise) else Truth.NO
    if isinstance(constant, nft.Prefix):
        return _in_prefix(reading, constant, kind, state)
    if isinstance(constant, nft.Range):
        first, last = canonical(constant.first, kind), canonical(constant.last, kind)
        if isinstance(first, int) and isinstance(last, int) and isinstance(reading, int):
            return Truth.of(first <= reading <= last)
        return Truth.UNKNOWN
    if isinstance(reading, frozenset):
        wanted = bits_of(constant)
        return Truth.UNKNOWN if wanted is None else Truth.of(reading == wanted)
    wanted_value = canonical(constant, kind)
    if wanted_value is None or isinstance(reading, (Chance, Nothing)):
        return Truth.UNKNOWN
    if kind is Datatype.INTERFACE and not isinstance(reading, (int, str)):
        known = _unknown_interface(constant, kind)
        return reading.fits(_pattern(str(wanted_value))) if known is Truth.UNKNOWN else known
    if kind is Datatype.INTERFACE:
        return _interface(str(reading), wanted_value)
    return Truth.of(reading == wanted_value)


def compared(
    reading: Reading, operator: nft.Operator, constant: nft.Expression, kind: Datatype, state: PacketState
) -> Truth:
    """Whether a value satisfies a comparison with a constant."""
    if operator is nft.Operator.IN:
        wanted = bits_of(constant)
        if isinstance(reading, frozenset) and wanted is not None:
            return Truth.of(not wanted.isdisjoint(reading))
        return Truth.UNKNOWN
    if operator in (nft.Operator.EQUAL, nft.Operator.NOT_EQUAL):
        return fits(reading, constant, kind, state).inverted(operator is nft.Operator.NOT_EQUAL)
    limit = canonical(constant, kind)
    if isinstance(reading, int) and isinstance(limit, int):
        return Truth.of(_ORDERS[operator](reading, limit))
    return Truth.UNKNOWN


_ORDERS: dict[nft.Operator, Callable[[int, int], bool]] = {
    nft.Operator.LESS: lt,
    nft.Operator.GREATER: gt,
    nft.Operator.AT_MOST: le,
    nft.Operator.AT_LEAST: ge,
}


def _unknown_interface(constant: nft.Expression, kind: Datatype) -> Truth:
    """Whether an unknown value may fit. It is never `lo`: packets on lo are the node's own, and are known to be. Nor is
    it a number (`iif 7`): nft prints one only for an interface that is gone."""
    if kind is Datatype.INTERFACE and (constant == "lo" or isinstance(constant, int)):
        return Truth.NO
    return Truth.UNKNOWN


def _interface(name: str, wanted: int | str) -> Truth:
    if isinstance(wanted, int):
        return Truth.NO
    if wanted.endswith("\\*"):
        return Truth.of(name == wanted[:-2] + "*")
    return Truth.of(interface_fits(_pattern(wanted), name))


def _pattern(wanted: str) -> str:
    """An interface's name, or a pattern as in iptables."""
    return wanted[:-1] + "+" if wanted.endswith("*") else wanted


def _lies_in(address: Whereabouts, constant: nft.Expression, state: PacketState) -> Truth:
    """Whether an unknown address equals the constant, or lies in it."""
    width = ADDRESS_BITS[state.connection.family]
    full = (1 << width) - 1
    if isinstance(constant, nft.Prefix):
        base = canonical(constant.base, Datatype.ADDRESS)
        if not isinstance(base, int) or constant.length > width:
            return Truth.UNKNOWN
        mask = full ^ (full >> constant.length)
        return address.lies_in(base & mask, mask)
    if isinstance(constant, nft.Range):
        first, last = canonical(constant.first, Datatype.ADDRESS), canonical(constant.last, Datatype.ADDRESS)
        if not isinstance(first, int) or not isinstance(last, int):
            return Truth.UNKNOWN
        return address.lies_between(first, last)
    value = canonical(constant, Datatype.ADDRESS)
    return address.lies_in(value, full) if isinstance(value, int) else Truth.UNKNOWN


def _in_prefix(reading: Reading, prefix: nft.Prefix, kind: Datatype, state: PacketState) -> Truth:
    base = canonical(prefix.base, kind)
    if not isinstance(base, int) or not isinstance(reading, int):
        return Truth.UNKNOWN
    width = ADDRESS_BITS[state.connection.family] if kind is Datatype.ADDRESS else NUMBER_BITS
    host_bits = max(width - prefix.length, 0)
    return Truth.of(reading >> host_bits == base >> host_bits)
