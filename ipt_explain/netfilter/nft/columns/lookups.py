"""Looks up many packets, which differ in their destination, in one set or map."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat

from ipt_explain.model import nft
from ipt_explain.netfilter.nft.lookups import parts_of
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
    columns: list[Iterable[Reading]] = []
    plain = elements.only_exact
    for part in parts_of(key):
        reading = read(part, state, Bound(to[0], to[0]))
        if reading is ABSENT:
            return [None] * len(to)
        if not looks_at_heading(part):
            columns.append(repeat(reading))
            plain = plain and isinstance(reading, (int, str, frozenset))
            continue
        readings = readings_of(part, to)
        if readings is None:
            return None
        columns.append(readings)
    keys = list(zip(*columns))
    found = [elements.exact.get(each) for each in keys]
    for place, heading in enumerate(to):
        if found[place] is None and not (plain and type(heading.address) is int and type(heading.port) is int):
            possible, certain = elements.find(keys[place], state)
            found[place] = UNSURE if possible or (certain is None and not elements.whole) else certain
    return found


def readings_of(expression: nft.Expression, to: Sequence[Heading]) -> Sequence[Reading] | None:
    """The packets' values of a destination field; None for another expression."""
    if not isinstance(expression, nft.Payload) or expression.field not in ("daddr", "dport"):
        return None
    values = [heading.address for heading in to] if expression.field == "daddr" else [heading.port for heading in to]
    return [UNKNOWN if value is None else value for value in values]
