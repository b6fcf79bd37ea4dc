"""The clients that may use a load balancer's address: the map firewall-ips, and the chains it leads to."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.nftables.tables import FIREWALL_IPS, elements
from ipt_explain.model.nft import (
    Concatenation,
    Expression,
    Match,
    Operator,
    Prefix,
    Range,
    SetLiteral,
    SetReference,
    Table,
    Verdict,
    VerdictKind,
)

Place = tuple[str | None, str, int]


class FirewallReader:
    """Reads the source ranges of one table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._chains: dict[Place, str] = {}
        for element in elements(table, FIREWALL_IPS):
            key = element.key
            if isinstance(key, Concatenation) and len(key.parts) == 3 and isinstance(element.data, Verdict):
                address, protocol, port = key.parts
                if isinstance(address, str) and isinstance(protocol, str) and isinstance(port, int):
                    self._chains[address, protocol, port] = element.data.chain or ""

    def ranges(self, place: Place, own: frozenset[str]) -> tuple[str, ...] | None:
        """The networks, addresses and ranges (`FIRST-LAST`) of clients that may use a place; None if all may.

        The service port's `own` addresses, which let the node reach itself, are left out.
        """
        name = self._chains.get(place)
        if name is None:
            return None
        chain = self._table.chains.get(name)
        return tuple(
            text
            for rule in (chain.rules if chain is not None else ())
            if any(isinstance(each, Verdict) and each.kind is VerdictKind.DROP for each in rule.statements)
            for statement in rule.statements
            if isinstance(statement, Match) and statement.operator is Operator.NOT_EQUAL
            for value in self._values(statement.right)
            for text in _range(value, own)
        )

    def _values(self, right: Expression) -> Iterator[Expression]:
        if isinstance(right, SetReference):
            yield from (each.key for each in elements(self._table, right.name))
        elif isinstance(right, SetLiteral):
            yield from (each.key for each in right.elements)
        else:
            yield right


def _range(value: Expression, own: frozenset[str]) -> Iterator[str]:
    if isinstance(value, Prefix):
        yield f"{value.base}/{value.length}"
    elif isinstance(value, Range):
        if not {value.first, value.last} <= own:
            yield f"{value.first}-{value.last}"
    elif isinstance(value, str) and value not in own:
        yield value
