"""The clients that may use a load balancer's address: the map firewall-ips, and the chains it leads to."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.nftables.frontends import Place
from ipt_explain.analyzers.nftables.tables import FIREWALL_IPS, elements
from ipt_explain.model import nft


class FirewallReader:
    """Reads the source ranges of one table."""

    def __init__(self, table: nft.Table) -> None:
        self._table = table
        self._chains: dict[Place, str] = {}
        for element in elements(table, FIREWALL_IPS):
            key = element.key
            if isinstance(key, nft.Concatenation) and len(key.parts) == 3 and isinstance(element.data, nft.Verdict):
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
        return tuple(
            text
            for rule in self._table.rules(name)
            if any(each.kind is nft.VerdictKind.DROP for each in rule.of(nft.Verdict))
            for match in rule.of(nft.Match)
            if match.operator is nft.Operator.NOT_EQUAL
            for value in self._values(match.right)
            for text in _range(value, own)
        )

    def _values(self, right: nft.Expression) -> Iterator[nft.Expression]:
        if isinstance(right, nft.SetReference):
            yield from (each.key for each in elements(self._table, right.name))
        elif isinstance(right, nft.SetLiteral):
            yield from (each.key for each in right.elements)
        else:
            yield right


def _range(value: nft.Expression, own: frozenset[str]) -> Iterator[str]:
    if isinstance(value, nft.Prefix):
        yield f"{value.base}/{value.length}"
    elif isinstance(value, nft.Range):
        if not {value.first, value.last} <= own:
            yield f"{value.first}-{value.last}"
    elif isinstance(value, str) and value not in own:
        yield value
