"""Looks up many packets, which differ in their destination, in one set or map."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.model import nft
from ipt_explain.netfilter.nft.lookups import Elements, known_parts, parts_of
from ipt_explain.netfilter.nft.matching import Matcher
from ipt_explain.netfilter.nft.readings import ABSENT, UNKNOWN, Reading, looks_at_heading, read
from ipt_explain.netfilter.packet import Bound, Heading, PacketState

UNSURE = nft.Element("unknown")
"""The result for a packet that the set may have or lack, or whose element is unknown."""


def look_up(
    matcher: Matcher,
    table: nft.Table,
    key: nft.Expression,
    data: nft.SetData,
    state: PacketState,
    to: Sequence[Heading],
) -> Sequence[nft.Element | None] | None:
    """The element that a set has for each packet, if any. None instead of a list if the input lacks the set, if rules
    may have added packets to it, or if the key depends on more than the packets' common state and their destinations.
    """
    elements = matcher.elements(table, data, key)
    if elements is None or (state.visits and isinstance(data, nft.SetReference)):
        return None
    columns: list[Sequence[Reading]] = []
    for part in parts_of(key):
        reading = read(part, state, Bound(to[0], to[0]))
        if reading is ABSENT:
            return [None] * len(to)
        readings = readings_of(part, to) if looks_at_heading(part) else [reading] * len(to)
        if readings is None:
            return None
        columns.append(readings)
    keys = list(zip(*columns))
    if not (elements.only_exact and all(type(address) is int and type(port) is int for address, port, _ in to)):
        return [_found(elements, each, state) for each in keys]
    if len(known_parts(keys[0])) == len(columns):
        return [elements.exact.get(each) for each in keys]
    fitting = elements.fitting(keys, state)
    return [_found(elements, each, state) if fits else None for each, fits in zip(keys, fitting)]


def _found(elements: Elements, key: tuple[Reading, ...], state: PacketState) -> nft.Element | None:
    possible, certain = elements.find(key, state)
    return UNSURE if possible or (certain is None and not elements.whole) else certain


def readings_of(expression: nft.Expression, to: Sequence[Heading]) -> Sequence[Reading] | None:
    """The packets' values of a destination field; None for another expression."""
    if not isinstance(expression, nft.Payload) or expression.field not in ("daddr", "dport"):
        return None
    values = [heading.address for heading in to] if expression.field == "daddr" else [heading.port for heading in to]
    return [UNKNOWN if value is None else value for value in values]
