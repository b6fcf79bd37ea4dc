"""The clients that may use a load balancer's address: the map firewall-ips, and the chains that it leads to."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.nftables.tables import FIREWALL_IPS
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
        found = table.sets.get(FIREWALL_IPS)
        for element in found.elements if found is not None else ():
            key = element.key
            if isinstance(key, Concatenation) and len(key.parts) == 3 and isinstance(element.data, Verdict):
                address, protocol, port = key.parts
                if isinstance(address, str) and isinstance(protocol, str) and isinstance(port, int):
                    self._chains[address, protocol, port] = element.data.chain or ""

    def ranges(self, place: Place, own: frozenset[str]) -> tuple[str, ...] | None:
        """The networks, addresses and ranges (`FIRST-LAST`) of clients that a place is restricted to; None where it is
        not.

        Addresses of the service port's `own`, by which the node reaches itself, are none of them.
        """
        name = self._chains.get(place)
        chain = None if name is None else self._table.chains.get(name)
        if name is None:
            return None
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
            found = self._table.sets.get(right.name)
            yield from (each.key for each in (found.elements if found is not None else ()))
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
