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
        return not any(address & mask == value for value, mask in self.networks)


def destinations_of(table: Table, rule: Rule) -> Destinations | None:
    """What a rule can match whose first statement looks at the destination; None where it does not, or where that is
    not a matter of addresses alone."""
    first = rule.statements[0] if rule.statements else None
    if isinstance(first, Match) and first.left in _DESTINATIONS and first.operator in (Operator.EQUAL, Operator.IN):
        if isinstance(first.right, (SetReference, SetLiteral)):
            return _told(_keys(table, first.right))
        return _told([first.right])
    if isinstance(first, VerdictMap):
        key = first.key.parts[0] if isinstance(first.key, Concatenation) else first.key
        return _told(_keys(table, first.data)) if key in _DESTINATIONS else None
    return None


def _keys(table: Table, data: SetData) -> Iterable[Expression] | None:
    """The first parts of all keys; None where there may be others."""
    held: Set | SetLiteral | None = table.sets.get(data.name) if isinstance(data, SetReference) else data
    if held is None or (isinstance(held, Set) and (held.elided or held.flags & {"dynamic", "timeout"})):
        return None
    keys = (element.key for element in held.elements)
    return [key.parts[0] if isinstance(key, Concatenation) else key for key in keys]


def _told(values: Iterable[Expression] | None) -> Destinations | None:
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
