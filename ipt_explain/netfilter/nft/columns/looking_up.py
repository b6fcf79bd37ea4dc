"""One set or map asked about many packets at once, which differ in where they are bound for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat

from ipt_explain.model.nft import Element, Expression, Payload, SetData, SetReference, Table
from ipt_explain.netfilter.nft.asking import Asking
from ipt_explain.netfilter.nft.lookups import parts_of
from ipt_explain.netfilter.nft.readings import ABSENT, UNKNOWN, Reading, looks_at_heading, read
from ipt_explain.netfilter.packet import Bound, Heading, PacketState

UNSURE = Element("what is not known")
"""Found for a packet of which nobody knows whether the set has it, or which element it is."""

def looked_up(
    asking: Asking, table: Table, key: Expression, data: SetData, state: PacketState, to: Sequence[Heading]
) -> Sequence[Element | None] | None:
    """What a set has for each packet, None for what it does not have. None for all where the set is not shown, where
    packets may have been entered into it, and where the key is made of more than where each packet is bound for and
    what all of them have in common.
    """
    elements = asking.elements(table, data, key)
    if elements is None or (state.visits and isinstance(data, SetReference)):
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


def readings_of(expression: Expression, to: Sequence[Heading]) -> Sequence[Reading] | None:
    """What packets that have a field of these have there; None for a field that does not tell where they are bound for.
    """
    if not isinstance(expression, Payload) or expression.field not in ("daddr", "dport"):
        return None
    values = [heading.address for heading in to] if expression.field == "daddr" else [heading.port for heading in to]
    return [UNKNOWN if value is None else value for value in values]
