"""Looks up many packets, which differ in their destination, in one set or map."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from ipt_explain.model import nft
from ipt_explain.netfilter.nft.lookups import Elements, known_parts, parts_of
from ipt_explain.netfilter.nft.matching import Matcher
from ipt_explain.netfilter.nft.values.kinds import ABSENT, UNKNOWN, Reading
from ipt_explain.netfilter.nft.values.readings import looks_at_heading, read
from ipt_explain.netfilter.packet import Bound, Heading, PacketState
from ipt_explain.records import NamedTuple

UNSURE = -1
"""The result for a packet that the set may have or lack, or whose element is unknown."""


class LookUps(NamedTuple):
    """What packets find in a set: the `places` of elements, None for none, or UNSURE; and what each element has."""

    places: Sequence[int | None]
    data: Sequence[nft.Verdict | nft.Expression | None] = ()


def look_up(
    matcher: Matcher,
    table: nft.Table,
    key: nft.Expression,
    data: nft.SetData,
    state: PacketState,
    to: Sequence[Heading],
) -> LookUps | None:
    """What a set has for each packet. None if the input lacks the set, if rules may have added packets to it, or if the
    key depends on more than the packets' common state and their destinations.
    """
    elements = matcher.elements(table, data, key)
    if elements is None or (state.visits and isinstance(data, nft.SetReference)):
        return None
    nothing = LookUps((None,) * len(to))
    columns: list[Sequence[Reading]] = []
    known = True
    for part in parts_of(key):
        reading = read(part, state, Bound(to[0], to[0]))
        if reading is ABSENT:
            return nothing
        if looks_at_heading(part):
            readings = readings_of(part, to)
            if readings is None:
                return None
            known = known and set(map(type, readings)) == {int}
            columns.append(readings)
        else:
            columns.append((reading,) * len(to))
    if not (elements.only_exact and known):
        return LookUps([_found(elements, each, state) for each in zip(*columns)], elements.data)
    if len(known_parts(tuple([column[0] for column in columns]))) == len(columns):
        return LookUps(list(map(elements.exact.get, zip(*columns))), elements.data)
    fitting = elements.fitting(columns, state)
    if fitting is None:
        return nothing
    found = [_found(elements, each, state) if fits else None for each, fits in zip(zip(*columns), fitting)]
    return LookUps(found, elements.data)


def _found(elements: Elements, key: tuple[Reading, ...], state: PacketState) -> int | None:
    possible, certain = elements.places(key, state)
    return UNSURE if possible or (certain is None and not elements.whole) else certain


def readings_of(expression: nft.Expression, to: Sequence[Heading]) -> Sequence[Reading] | None:
    """The packets' values of a destination field; None for another expression."""
    if not isinstance(expression, nft.Payload) or expression.field not in ("daddr", "dport"):
        return None
    values = list(map(itemgetter(0 if expression.field == "daddr" else 1), to))
    return [UNKNOWN if value is None else value for value in values] if None in values else values
