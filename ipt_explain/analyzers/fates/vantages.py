"""Where test connections come from: an ordinary pod, the node, and a host outside, as far as a dump shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import accumulate, chain, compress
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from ipt_explain.analyzers.rulesets import stopping
from ipt_explain.columns import columns
from ipt_explain.model import Backend, Dump, Family, Ruleset
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.model.node import NOTHING_KNOWN, NodeFacts
from ipt_explain.netfilter.header import NO_INTERFACE, network_bits, parse_address, parse_ipv4
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.packet import Connection, Heading, Node, PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.chains.chain_index import Destinations
from ipt_explain.netfilter.whereabouts import Address, Bits, Whereabouts
from ipt_explain.records import Record, replace
from ipt_explain.services.fates import Vantage
from ipt_explain.services.ports import Endpoint, ServicePort
from ipt_explain.words import address_port

if TYPE_CHECKING:
    from ipt_explain.netfilter.walk.stages import NodeRules

_ADDRESS = itemgetter(0)
_WHERE = ("address", "port", "endpoint")
_AT_ONCE = 64  # Services whose endpoints are read together, while the processor's cache holds their texts
API_SERVER = ("default", "kubernetes")  # its endpoints are on a host's network
# If no rule names the pod network, pods are assumed to be in networks with this many bits around endpoints.
_AROUND = {Family.IPV4: 16, Family.IPV6: 48}
_WITH_OTHER_RULES = (Backend.NFTABLES, Backend.IPVS)
_LOOPBACK = {Family.IPV4: (127 << 24, 255 << 24), Family.IPV6: (1, (1 << 128) - 1)}


class Surroundings(Record):
    """What is known about the addresses around a node: where connections come from, and which addresses no host has."""

    family: Family
    pod: Whereabouts
    node: Whereabouts
    outside: Whereabouts
    cluster_ips: frozenset[int]
    host_endpoints: frozenset[Heading]
    bound: Sequence[Sequence[Heading | None]]
    _headings: Destinations
    _facts: NodeFacts = NOTHING_KNOWN
    _node_ports: tuple[int, ...] = ()
    doubtful: frozenset[int] = frozenset()

    @classmethod
    def of(
        cls, family: Family, services: Sequence[ServicePort], headings: Destinations,
        facts: NodeFacts = NOTHING_KNOWN, node_ports: Sequence[int] = (), shown_whole: bool = True,
        forward_stops: bool = False, input_stops: bool = False,
    ) -> Surroundings:  # fmt: skip
        """From the rules of one family. Endpoints outside the pod network are on host networks.

        `headings` reads an endpoint's address and port. `bound` has the destinations of packets to each Service's
        endpoints, in order, None if unknown. `node_ports` are addresses of the node that accept node ports, none if all
        do. If the text is not `shown_whole`, it may show only endpoints outside the pod network.

        Where `forward_stops` or `input_stops` some packets, it matters whether an endpoint on a host network is on this
        node. The API server is assumed to be elsewhere unless packets to this node may be stopped.
        """
        found = _bound(services, headings)
        of_api_server = [(service.namespace, service.name) == API_SERVER for service in services]
        cluster_ips = frozenset(_addresses(service.cluster_ip for service in services))
        known = _known_addresses([own for own, api_server in zip(found, of_api_server) if not api_server])
        endpoints = known | _known_addresses(compress(found, of_api_server))
        networks = _named_networks(services, family)
        named = tuple(network for network in networks if _holds_any(network, known) or not known)
        pods = named or (*(() if shown_whole else networks), *_around(known or endpoints, family))
        hosts = endpoints
        for value, mask in pods:
            hosts = frozenset([each for each in hosts if each & mask != value])
        loopback = _LOOPBACK[family]
        return cls(
            family,
            Whereabouts("the pod's address", family, pods, ordinary=True),
            Whereabouts(
                "the node's address", family, outside=(*named, loopback), apart=(endpoints - hosts) | cluster_ips,
                owned=Truth.YES,
            ),
            Whereabouts("the outside address", family, outside=(*pods, loopback), ordinary=True),
            cluster_ips,
            _with_address(found, hosts) if hosts else frozenset(),
            found,
            headings,
            facts,
            tuple(node_ports),
            hosts & (endpoints if input_stops else known) if forward_stops or input_stops else frozenset(),
        )  # fmt: skip

    def heading(self, endpoint: Endpoint) -> Heading | None:
        """The destination of packets to an endpoint; None if unknown."""
        return self._headings[_text(endpoint.address, endpoint.port)]

    @property
    def with_node_ports(self) -> Address:
        """An address of the node that accepts node ports; the node's own if all do."""
        return self._node_ports[0] if self._node_ports else self.node

    def departure(self, vantage: Vantage, protocol: int) -> PacketState:
        """The first packets of new connections."""
        source = {Vantage.POD: self.pod, Vantage.NODE: self.node, Vantage.OUTSIDE: self.outside}[vantage]
        local = vantage is Vantage.NODE
        connection = Connection(
            family=self.family,
            protocol=protocol,
            source=source,
            source_port=None,
            local=local,
            in_interface=None,
        )
        return PacketState(
            connection=connection,
            node=self._known(),
            hook=Hook.OUTPUT if local else Hook.PREROUTING,
            source=source,
            source_port=None,
            in_interface=NO_INTERFACE if local else None,
        )

    def _known(self) -> Node:
        """What is known about the node. IPVS needs Services' addresses to be the node's own."""
        if not self._facts:
            return Node(
                frozenset(self._node_ports), foreign_addresses=self.cluster_ips, doubtful_addresses=self.doubtful,
                more_addresses=True,
            )  # fmt: skip
        from ipt_explain.netfilter.node_facts import known_sets, own_addresses

        own = own_addresses(self._facts, self.family)
        unbound: frozenset[int] = frozenset()
        if self._facts.addresses is not None:
            from ipt_explain.analyzers.ipvs.node import unbound_addresses

            unbound = unbound_addresses(self._facts, self.family)
        addresses = own.addresses - unbound
        # Without a list of interfaces, kube-ipvs0 may have them.
        may_be_bound = own.more and self._facts.virtual_servers is not None
        return Node(
            addresses.union(self._node_ports),
            first_addresses=own.first,
            foreign_addresses=unbound if may_be_bound else self.cluster_ips - addresses,
            more_addresses=own.more,
            sets=known_sets(self._facts),
            all_interfaces=not own.more,
        )


def shows_all_nat(dump: Dump, rulesets: Sequence[Ruleset]) -> bool:
    """Whether a text shows all rules of a family that may translate addresses."""
    if dump.nft is not None and dump.nft.fragment:
        return False
    return bool(rulesets or dump.nft) and all(_shows_nat(ruleset, dump.nft is not None) for ruleset in rulesets)


def _shows_nat(ruleset: Ruleset, in_nftables: bool) -> bool:
    """Whether one ruleset shows all of these. kube-proxy's rules are `in_nftables`, or in nat."""
    nat = ruleset.tables.get("nat")
    return in_nftables and not ruleset.fragment if nat is None else nat.whole


def surroundings(dump: Dump, family: Family, services: Sequence[ServicePort], node: NodeRules) -> Surroundings:
    """What is around the node of a dump, by its rules of a family and the Services of one backend, at least one."""
    elsewhere, here = (False, False) if services[0].backend in _WITH_OTHER_RULES else stopping(node.rulesets)
    shown = shows_all_nat(dump, node.rulesets)
    ports = _node_ports(dump, family)
    return Surroundings.of(family, services, node.indexes.destinations, dump.node, ports, shown, elsewhere, here)


def asking_together(start: PacketState, node: NodeRules) -> PacketState:
    """A crowd's packet for which sets are asked once for all packets. Not if nftables may change destinations at
    will."""
    return start if node.chains is not None else start._replace(node=replace(start.node, names_later=True))


def _node_ports(dump: Dump, family: Family) -> tuple[int, ...]:
    if dump.node.virtual_servers is not None:
        from ipt_explain.analyzers.ipvs.node import node_port_address

        address = node_port_address(dump.node, family)
        return () if address is None else (address,)
    if dump.nft is None:
        return ()
    from ipt_explain.analyzers.nftables.tables import node_port_addresses

    return node_port_addresses(dump.nft, family)


def _bound(services: Sequence[ServicePort], headings: Destinations) -> Sequence[Sequence[Heading | None]]:
    """The destinations of packets to the endpoints of each Service; None if unknown."""
    bound: list[Sequence[Heading | None]] = []
    for at in range(0, len(services), _AT_ONCE):
        some = services[at : at + _AT_ONCE]
        addresses, ports, spelled = zip(*[columns(service.endpoints, _WHERE) for service in some])
        texts = chain.from_iterable(map(_texts, addresses, ports, spelled))
        found = headings.of(list(texts), list(chain.from_iterable(addresses)), list(chain.from_iterable(ports)))
        ends = list(accumulate(map(len, addresses)))
        bound += [found[start:end] for start, end in zip((0, *ends), ends)]
    return bound


def _texts(
    addresses: Sequence[str | None], ports: Sequence[int | None], spelled: Sequence[str | None]
) -> Sequence[str | None]:
    """The addresses and ports of a Service's endpoints, if possible as the rules' own strings: another hundred thousand
    would take memory."""
    return list(map(_text, addresses, ports)) if None in spelled else spelled


def _text(address: str | None, port: int | None) -> str:
    return "" if address is None else address_port(address, port)


def _addresses(texts: Iterable[str | None]) -> Iterable[int]:
    written = list(filter(None, texts))
    known = parse_ipv4(written)
    if known is not None:
        yield from known
        return
    for text in written:
        try:
            yield parse_address(text)
        except ValueError:
            continue


def _known_addresses(found: Iterable[Sequence[Heading | None]]) -> frozenset[int]:
    known = map(_ADDRESS, filter(None, chain.from_iterable(found)))
    return frozenset(cast("Iterable[int]", known))  # what DNAT's texts name


def _with_address(found: Iterable[Sequence[Heading | None]], addresses: AbstractSet[int]) -> frozenset[Heading]:
    headings = list(filter(None, chain.from_iterable(found)))
    return frozenset(compress(headings, map(addresses.__contains__, map(_ADDRESS, headings))))


def _holds_any(network: Bits, addresses: Iterable[int]) -> bool:
    return any(each & network[1] == network[0] for each in addresses)


def _named_networks(services: Iterable[ServicePort], family: Family) -> tuple[Bits, ...]:
    """The pod network, as the rules for traffic from outside name it."""
    found: Counter[Bits] = Counter()
    for text, count in Counter(service.masquerade.off_cluster for service in services).items():
        try:
            if text is not None and ("/" in text) and (":" in text) is (family is Family.IPV6):
                found[network_bits(text)] += count
        except ValueError:
            continue
    return tuple(found)


def _around(addresses: Iterable[int], family: Family) -> tuple[Bits, ...]:
    width, length = ADDRESS_BITS[family], _AROUND[family]
    mask = (1 << width) - (1 << (width - length))
    return tuple(sorted({(address & mask, mask) for address in addresses}))
