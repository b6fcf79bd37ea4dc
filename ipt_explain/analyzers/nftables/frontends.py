"""The addresses and ports that kube-proxy's nftables maps serve or refuse, each with its service port."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from ipt_explain.analyzers.names import ServicePortName, service_port_name
from ipt_explain.analyzers.nftables.names import ChainKind, ProxyChain, proxy_chain
from ipt_explain.analyzers.nftables.tables import (
    CLUSTER_IPS,
    NO_ENDPOINT_NODE_PORTS,
    NO_ENDPOINT_SERVICES,
    SERVICE_IPS,
    SERVICE_NODE_PORTS,
    elements,
    proxy_table,
)
from ipt_explain.columns import column, columns
from ipt_explain.model import nft
from ipt_explain.model.nft.printing import element_text
from ipt_explain.netfilter.header import family_of
from ipt_explain.records import Record, field
from ipt_explain.services.evidence import Shown
from ipt_explain.services.ports import FrontendVerdict

Place = tuple[str | None, str, int]
"""An address (None: a node port), a protocol and a port."""


class MapEntry(Record, frozen=False):
    """What the maps say about one place. `chain` is where service-ips or service-nodeports leads; `refusal` is the
    verdict of no-endpoint-…."""

    place: Place
    evidence: Shown
    chain: str | None = None
    refusal: FrontendVerdict | None = None


class MapEntries(Record, frozen=False):
    """The entries of one service port. `name` is None if neither a chain nor a comment has it."""

    name: ServicePortName | None
    protocol: str
    entries: list[MapEntry] = field(default_factory=list)

    @property
    def hosts(self) -> Iterator[str | None]:
        """The addresses of its frontends."""
        return (entry.place[0] for entry in self.entries)


def groups(table: nft.Table, fragment: bool) -> list[MapEntries]:
    """All service ports that have an address, in the order of the maps. In a `fragment` without all of service-ips,
    also those that only have a chain: none of their entries is shown."""
    found: dict[tuple[object, ...], MapEntries] = {}
    places: dict[Place, MapEntry] = {}
    for name in (SERVICE_IPS, SERVICE_NODE_PORTS):
        for place, evidence, verdict, _ in _entries(table, name):
            chain = None if verdict.chain is None else proxy_chain(verdict.chain)
            group = _group(found, chain.port if chain else None, place)
            entry = MapEntry(place, evidence, verdict.chain)
            group.entries.append(entry)
            places[place] = entry
    for name in (NO_ENDPOINT_SERVICES, NO_ENDPOINT_NODE_PORTS):
        for place, evidence, verdict, comment in _entries(table, name):
            refusal = FrontendVerdict.DROP if verdict.kind is nft.VerdictKind.DROP else FrontendVerdict.REJECT
            if place in places:
                places[place].refusal = refusal
                continue
            port = service_port_name(comment) if comment else None
            group = _group(found, port, place)
            group.entries.append(MapEntry(place, evidence, refusal=refusal))
    if fragment and _is_cut(table, SERVICE_IPS):
        for chain in filter(None, map(proxy_chain, table.chains)):
            if chain.kind is ChainKind.SERVICE:
                key = (chain.port.namespace, chain.port.name, chain.port.port, chain.protocol)
                found.setdefault(key, MapEntries(chain.port, chain.protocol))
    return list(found.values())


def _is_cut(table: nft.Table, name: str) -> bool:
    """Whether a fragment lacks a map, or elements of it."""
    held = table.sets.get(name)
    return held is None or held.elided


def cluster_ips(table: nft.Table) -> frozenset[str]:
    """The active ClusterIPs: the set cluster-ips, which kube-proxy has had since 1.30."""
    return frozenset(key for key in column(elements(table, CLUSTER_IPS), "key") if isinstance(key, str))


def is_cluster_ip(ruleset: nft.Ruleset, address: str) -> bool:
    """Whether kube-proxy serves or refuses an address, in its canonical text, as a ClusterIP."""
    table = proxy_table(ruleset, family_of(address))
    return table is not None and address in cluster_ips(table)


def _group(found: dict[tuple[object, ...], MapEntries], port: ServicePortName | None, place: Place) -> MapEntries:
    key = (place,) if port is None else (port.namespace, port.name, port.port, place[1])
    if key not in found:
        found[key] = MapEntries(port, place[1])
    return found[key]


def _entries(table: nft.Table, name: str) -> Iterator[tuple[Place, Shown, nft.Verdict, str | None]]:
    """The places in a map, each with its element as evidence, its verdict and its comment."""
    held = elements(table, name)
    for number, (key, data, comment, line) in enumerate(zip(*columns(held, ("key", "data", "comment", "line")))):
        parts = key.parts if isinstance(key, nft.Concatenation) else ()
        if not isinstance(data, nft.Verdict) or len(parts) not in (2, 3):
            continue
        *address, protocol, port = parts
        if isinstance(protocol, str) and isinstance(port, int):
            where = address[0] if address else None
            if where is None or isinstance(where, str):
                yield (where, protocol, port), Shown(line, partial(_text_of, held, number)), data, comment


def _text_of(held: Sequence[nft.Element], number: int) -> str:
    return element_text(held[number])


def entry_chain(entry: MapEntry) -> ProxyChain | None:
    """The chain that an entry leads to, if it is kube-proxy's."""
    return None if entry.chain is None else proxy_chain(entry.chain)
