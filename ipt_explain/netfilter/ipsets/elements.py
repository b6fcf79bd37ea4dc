"""Elements of sets as numbers."""

from __future__ import annotations

from ipt_explain.model import Family
from ipt_explain.model.node.ipsets import BridgePort, Dimension, ElementPart, IpSet, SetElement, SetPort
from ipt_explain.netfilter.header import ICMP, ICMPV6, network_bits, protocol_number
from ipt_explain.netfilter.header.icmp import ICMP_TYPES, ICMPV6_TYPES
from ipt_explain.netfilter.ipsets.shown import ANY_PROTOCOL
from ipt_explain.records import Record

Key = int | str | tuple[int, int]
"""One part of an element: an address, a mark, a name, or a protocol and port."""

WHOLE = -1
"""The mask of parts other than addresses, which must be equal."""


class MaskedElement(Record):
    """An element: `keys`, and a mask for each."""

    keys: tuple[Key, ...]
    masks: tuple[int, ...]
    nomatch: bool


def compiled(found: IpSet, element: SetElement) -> MaskedElement:
    """An element of a set as numbers. Raises ValueError if that is impossible."""
    if len(element.parts) != len(found.dimensions):
        raise ValueError("an element that lacks a part")
    keys: list[Key] = []
    masks: list[int] = []
    for dimension, part in zip(found.dimensions, element.parts):
        key, mask = key_of(found, dimension, part)
        keys.append(key)
        masks.append(mask)
    return MaskedElement(tuple(keys), tuple(masks), element.nomatch)


def key_of(found: IpSet, dimension: Dimension, part: ElementPart) -> tuple[Key, int]:
    """One part of an element as a number, and the mask for it. Raises ValueError if that is impossible."""
    if isinstance(part, BridgePort):
        raise ValueError("a packet does not show whether an interface is a bridge port")
    if isinstance(part, SetPort):
        if dimension is not Dimension.PORT:
            raise ValueError("a port where none belongs")
        return _port_key(part), WHOLE
    if dimension is Dimension.MARK:
        return int(part, 0), WHOLE
    if dimension in (Dimension.IP, Dimension.NET):
        value, mask = network_bits(part)
        if found.mask is not None:
            mask &= _netmask(found)
        return value & mask, mask
    return part, WHOLE


def _netmask(found: IpSet) -> int:
    """The mask that a set applies to addresses: a prefix length or any mask."""
    assert found.mask is not None
    zero = "::" if found.family is Family.IPV6 else "0.0.0.0"
    return network_bits(f"{zero}/{found.mask}")[1]


def _port_key(part: SetPort) -> tuple[int, int]:
    """A port as (protocol, number), ICMP's type and code as one number."""
    protocol = ANY_PROTOCOL if part.protocol is None else protocol_number(part.protocol)
    if protocol is None:
        raise ValueError(f"{part.protocol} is not a known protocol")
    if protocol not in (ICMP, ICMPV6):
        return protocol, int(part.port)
    kind, slash, code = part.port.partition("/")
    if kind.isdecimal():
        return protocol, int(kind) << 8 | (int(code) if slash else 0)
    names = ICMP_TYPES if protocol == ICMP else ICMPV6_TYPES
    if kind not in names:
        raise ValueError(f"{kind} is not a known type of ICMP")
    number, known_code = names[kind]
    return protocol, number << 8 | (known_code or 0)
