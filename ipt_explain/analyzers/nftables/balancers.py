"""Chains of nftables that spread connections over endpoints, and the chains of endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import cast

from ipt_explain.analyzers.nftables.names import ChainKind, proxy_chain
from ipt_explain.analyzers.nftables.tables import (
    HAIRPIN_CONNECTIONS,
    MARK_FOR_MASQUERADE,
    SOURCE_ADDRESSES,
    elements,
    leads_to,
)
from ipt_explain.columns import Columns, column, constant, nothing
from ipt_explain.model import nft
from ipt_explain.netfilter.nft.chances import element_shares, even_share
from ipt_explain.netfilter.nft.values.kinds import Chance
from ipt_explain.records import Record
from ipt_explain.services.evidence import Shown
from ipt_explain.words import address_port

_NOTHING = Fraction(0)
_PAIR = 2
_PARTS = 4  # of an element of hairpin-connections


class BalancedEndpoint(Record):
    """An endpoint of a balancer, and its share (0 to 1). `address` and `port` are None if its chain rewrites nothing;
    `chain` is its own chain, or the balancer's if it has none (1.36)."""

    address: str | None
    port: int | None
    chain: str
    share: Fraction
    hairpin: bool | None
    affinity_seconds: int | None
    evidence: Shown


class Spread(Record):
    """How a chain spreads connections: its endpoints, and the share that gets none. Endpoints that differ, each with an
    equal share, may be in columns, which have what an Endpoint and a Share ask for, too."""

    chain: str
    targets: Sequence[BalancedEndpoint]
    unmatched: Fraction


class BalancerReader:
    """Reads the chains of one table."""

    def __init__(self, table: nft.Table) -> None:
        self._table = table
        self._hairpins = _hairpins(table)
        self._known: dict[tuple[str, str], Spread | None] = {}

    def read(self, name: str, protocol: str) -> Spread | None:
        """How the chain of this name spreads connections; None if there is no such chain."""
        key = (name, protocol)
        if key not in self._known:
            self._known[key] = self._read(name, protocol)
        return self._known[key]

    def _read(self, name: str, protocol: str) -> Spread | None:
        chain = self._table.chains.get(name)
        if chain is None:
            return None
        targets: list[BalancedEndpoint] = []
        for rule in chain.rules:
            evenly = self._evenly(chain, rule, protocol)
            if evenly is not None:
                return Spread(name, evenly, _NOTHING)
            for share, element, data in _choices(self._table, rule):
                target = self._target(chain, rule, protocol, share, element, data)
                if target is not None:
                    targets.append(target)
            if targets:
                break
        return Spread(name, tuple(targets), 1 - sum((each.share for each in targets), _NOTHING))

    def _evenly(self, chain: nft.Chain, rule: nft.Rule, protocol: str) -> Columns[BalancedEndpoint] | None:
        """The addresses and ports to which a rule sends equal shares; None for other rules."""
        lookup = _lookup(rule)
        if lookup is None or not isinstance(lookup.key, (nft.Numgen, nft.Hash)):
            return None
        if not isinstance(lookup.data, nft.SetLiteral):
            return None
        given = column(lookup.data.elements, "data")
        share = even_share(Chance(lookup.key.offset, lookup.key.modulus), lookup.data.elements)
        if share is None or not isinstance(given, nft.Concatenations) or len(given.parts) != _PAIR:
            return None
        addresses, ports = given.parts
        if set(map(type, addresses)) != {str} or set(map(type, ports)) != {int}:
            return None
        texts = list(map(address_port, cast("Sequence[str]", addresses), cast("Sequence[int]", ports)))
        if len(set(texts)) < len(texts):
            return None
        count = len(texts)
        hairpins: Sequence[bool | None] = nothing(count)
        if self._hairpins:
            known = [(address, protocol, port) in self._hairpins for address, port in zip(addresses, ports)]
            hairpins = constant(True, count) if all(known) else [each or None for each in known]
        return Columns(
            BalancedEndpoint,
            {
                "address": addresses, "port": ports, "endpoint": texts, "chain": (chain.name,) * count,
                "share": constant(share, count), "probability": constant(float(share), count),
                "hairpin": hairpins, "marked": hairpins,
                "evidence": (Shown(rule.line, lambda: rule.text),) * count,
            },
        )  # fmt: skip

    def _target(
        self, chain: nft.Chain, rule: nft.Rule, protocol: str, share: Fraction, element: nft.Element | None,
        data: nft.Verdict | nft.Expression | None,
    ) -> BalancedEndpoint | None:  # fmt: skip
        line = rule.line if element is None or not element.line else element.line
        if isinstance(data, nft.Verdict):
            return self._endpoint(data.chain, protocol, share, line, rule)
        address, port = _place(data)
        if address is None:
            return None
        hairpin = True if self._hairpins is not None and (address, protocol, port) in self._hairpins else None
        return BalancedEndpoint(address, port, chain.name, share, hairpin, None, Shown(line, lambda: rule.text))

    def _endpoint(
        self, name: str | None, protocol: str, share: Fraction, line: int, shown: nft.Rule
    ) -> BalancedEndpoint | None:
        if name is None:
            return None
        address: str | None = None
        port: int | None = None
        seconds: int | None = None
        marked: set[str] = set()
        for rule in self._table.rules(name):
            for statement in rule.statements:
                if (
                    isinstance(statement, nft.Match)
                    and statement.left in SOURCE_ADDRESSES
                    and isinstance(statement.right, str)
                ):
                    if leads_to(rule, MARK_FOR_MASQUERADE):
                        marked.add(statement.right)
                elif isinstance(statement, nft.SetUpdate):
                    found = self._table.sets.get(statement.target.name)
                    seconds = statement.timeout or (None if found is None else found.timeout)
                elif isinstance(statement, nft.Nat) and statement.kind is nft.NatKind.DNAT:
                    address, port = _place(_pair(statement))
                    line, shown = rule.line, rule
        hairpin = address in marked
        known = hairpin if name in self._table.chains else None
        if self._hairpins is not None:
            known = hairpin or (address, protocol, port) in self._hairpins or None
        return BalancedEndpoint(address, port, name, share, known, seconds, Shown(line, lambda: shown.text))


def _choices(
    table: nft.Table, rule: nft.Rule
) -> Iterator[tuple[Fraction, nft.Element | None, nft.Verdict | nft.Expression | None]]:
    """The endpoints among which a rule chooses at random, each with its share; none if the rule does not balance."""
    for statement in rule.statements:
        key: nft.Expression | None = None
        if isinstance(statement, nft.VerdictMap):
            key, data = statement.key, statement.data
        elif isinstance(statement, nft.Nat) and statement.kind is nft.NatKind.DNAT:
            if isinstance(statement.address, nft.MapLookup):
                key, data = statement.address.key, statement.address.data
            else:
                yield Fraction(1), None, _pair(statement)
                return
        if isinstance(key, (nft.Numgen, nft.Hash)):
            held = data.elements if isinstance(data, nft.SetLiteral) else elements(table, data.name)
            for share, element in element_shares(Chance(key.offset, key.modulus), held):
                if element is not None:
                    yield share, element, element.data
            return
        if isinstance(statement, nft.Verdict) and statement.chain is not None:
            found = proxy_chain(statement.chain)
            if found is not None and found.kind is ChainKind.ENDPOINT and not rule.of(nft.Match):
                yield Fraction(1), None, statement
            return


def _lookup(rule: nft.Rule) -> nft.MapLookup | None:
    """The map in which a rule looks up where to send packets, if that is all that it does with them."""
    nat = rule.last
    if not isinstance(nat, nft.Nat) or nat.kind is not nft.NatKind.DNAT or not isinstance(nat.address, nft.MapLookup):
        return None
    before = rule.statements[:-1]
    return nat.address if all(isinstance(each, (nft.Match, nft.Counter)) for each in before) else None


def _pair(nat: nft.Nat) -> nft.Expression | None:
    if nat.address is None or nat.port is None:
        return nat.address
    return nft.Concatenation((nat.address, nat.port))


def _place(value: nft.Expression | nft.Verdict | None) -> tuple[str | None, int | None]:
    if isinstance(value, nft.Concatenation) and len(value.parts) == 2:
        address, port = value.parts
        return (address if isinstance(address, str) else None), (port if isinstance(port, int) else None)
    return (value if isinstance(value, str) else None), None


def _hairpins(table: nft.Table) -> frozenset[tuple[str, str, int]] | None:
    """Local endpoints that are masqueraded when they connect to themselves; None up to 1.35, whose endpoint chains say
    that."""
    if HAIRPIN_CONNECTIONS not in table.sets:
        return None
    keys = column(elements(table, HAIRPIN_CONNECTIONS), "key")
    columns = nft.in_parts(keys, _PARTS)
    if columns is None:  # unreadable elements among them
        parts = [key.parts for key in keys if isinstance(key, nft.Concatenation) and len(key.parts) == _PARTS]
        columns = list(zip(*parts)) or [()] * _PARTS
    sources, to, protocols, ports = columns
    return frozenset(
        (address, protocol, port)
        for source, address, protocol, port in zip(sources, to, protocols, ports)
        if source == address and isinstance(address, str) and isinstance(protocol, str) and isinstance(port, int)
    )
