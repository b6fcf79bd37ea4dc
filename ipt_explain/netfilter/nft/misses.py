"""Which packets a rule cannot match by where they are bound for: thousands at once, without asking about each."""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.model.nft import (
    Concatenation,
    Expression,
    Match,
    Operator,
    Payload,
    Prefix,
    Rule,
    Set,
    SetData,
    SetLiteral,
    SetReference,
    Table,
    VerdictMap,
)
from ipt_explain.netfilter.header.addresses import network_bits, parse_address
from ipt_explain.netfilter.packet import Heading
from ipt_explain.records import dataclass

_DESTINATIONS = (Payload("ip", "daddr"), Payload("ip6", "daddr"))
_MOST_NETWORKS = 8


@dataclass(frozen=True, slots=True)
class Destinations:
    """All destinations that a rule can match: addresses, and networks as (value, mask)."""

    addresses: frozenset[int]
    networks: tuple[tuple[int, int], ...]

    def miss(self, to: Heading) -> bool:
        """Whether packets bound for there cannot match."""
        address = to.address
        if not isinstance(address, int) or address in self.addresses:
            return False
        return not self.networks or not any(address & mask == value for value, mask in self.networks)


def destinations_of(table: Table, rule: Rule) -> Destinations | None:
    """What a rule can match that looks at the destination ahead of all that changes packets; None where it does not,
    or where that is not a matter of addresses alone."""
    for statement in rule.statements:
        if isinstance(statement, VerdictMap):
            place = _place(statement.key)
            return None if place is None else _told(_keys(table, statement.data, place))
        if not isinstance(statement, Match):
            return None
        place = _place(statement.left)
        if place is not None and statement.operator in (Operator.EQUAL, Operator.IN):
            if isinstance(statement.right, (SetReference, SetLiteral)):
                return _told(_keys(table, statement.right, place))
            return _told([_part(statement.right, place)])
    return None


def _place(key: Expression) -> int | None:
    """Which part of a key is the destination."""
    parts = key.parts if isinstance(key, Concatenation) else (key,)
    return next((place for place, part in enumerate(parts) if part in _DESTINATIONS), None)


def _part(key: Expression, place: int) -> Expression | None:
    parts = key.parts if isinstance(key, Concatenation) else (key,)
    return parts[place] if place < len(parts) else None


def _keys(table: Table, data: SetData, place: int) -> Iterable[Expression | None] | None:
    """The destinations of all keys; None where there may be others."""
    held: Set | SetLiteral | None = table.sets.get(data.name) if isinstance(data, SetReference) else data
    if held is None or (isinstance(held, Set) and (held.elided or held.flags & {"dynamic", "timeout"})):
        return None
    return [_part(element.key, place) for element in held.elements]


def _told(values: Iterable[Expression | None] | None) -> Destinations | None:
    addresses: set[int] = set()
    networks: list[tuple[int, int]] = []
    for value in values if values is not None else (0,):
        try:
            if isinstance(value, str):
                addresses.add(parse_address(value))
            elif isinstance(value, Prefix) and isinstance(value.base, str):
                networks.append(network_bits(f"{value.base}/{value.length}"))
            else:
                return None
        except ValueError:
            return None
    return Destinations(frozenset(addresses), tuple(networks)) if len(networks) <= _MOST_NETWORKS else None
