"""From where Services are asked: an ordinary pod, the node, and a host outside, as far as a dump tells of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ipt_explain.model import Family
from ipt_explain.netfilter.addresses import BITS, format_address, network_bits, parse_address
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.interfaces import NO_INTERFACE
from ipt_explain.netfilter.packet import Connection, Node, PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Bits, Whereabouts
from ipt_explain.records import dataclass
from ipt_explain.services.fates import Vantage
from ipt_explain.services.ports import ServicePort

# Where no rule names the pods' network, they are taken to lie in the networks of this many bits around endpoints.
_AROUND = {Family.IPV4: 16, Family.IPV6: 48}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the addresses around a node: where connections come from, and which addresses are nobody's."""

    family: Family
    pod: Whereabouts
    node: Whereabouts
    outside: Whereabouts
    cluster_ips: frozenset[int]
    host_endpoints: frozenset[int]

    @classmethod
    def of(cls, family: Family, services: Sequence[ServicePort]) -> Surroundings:
        """As the rules of one family tell. Endpoints outside the pods' network are on host networks."""
        endpoints = frozenset(_addresses(each.address for service in services for each in service.endpoints))
        cluster_ips = frozenset(_addresses(service.cluster_ip for service in services))
        named = _named_networks(services, endpoints, family)
        pods = named or _around(_pod_addresses(services) or endpoints, family)
        in_pods = frozenset(each for each in endpoints if any(each & mask == value for value, mask in pods))
        never = _written(endpoints, family)
        not_the_node = in_pods | cluster_ips
        return cls(
            family,
            Whereabouts("the pod's address", family, pods, apart=endpoints, ordinary=True, apart_texts=never),
            Whereabouts(
                "the node's address", family, outside=named, apart=not_the_node, owned=Truth.YES,
                apart_texts=_written(not_the_node, family),
            ),
            Whereabouts(
                "the outside address", family, outside=pods, apart=endpoints, ordinary=True, apart_texts=never
            ),
            cluster_ips,
            endpoints - in_pods,
        )  # fmt: skip

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
            node=Node(foreign_addresses=self.cluster_ips, doubtful_addresses=self.host_endpoints),
            hook=Hook.OUTPUT if local else Hook.PREROUTING,
            source=source,
            source_port=None,
            in_interface=NO_INTERFACE if local else None,
        )


def _written(addresses: Iterable[int], family: Family) -> frozenset[str]:
    """Addresses as rules for single ones write them."""
    return frozenset(f"{format_address(address, family)}/{BITS[family]}" for address in addresses)


def _addresses(texts: Iterable[str | None]) -> Iterable[int]:
    for text in texts:
        if text is not None:
            try:
                yield parse_address(text)
            except ValueError:
                continue


def _pod_addresses(services: Iterable[ServicePort]) -> frozenset[int]:
    """The endpoints' addresses but those of the API server, which is on a host's network."""
    return frozenset(
        _addresses(
            endpoint.address
            for service in services
            if (service.namespace, service.name) != ("default", "kubernetes")
            for endpoint in service.endpoints
        )
    )


def _named_networks(services: Iterable[ServicePort], endpoints: frozenset[int], family: Family) -> tuple[Bits, ...]:
    """The pods' network as the rules for traffic from outside it name it, if endpoints lie in it."""
    found: Counter[Bits] = Counter()
    for text, count in Counter(service.masquerade.off_cluster for service in services).items():
        try:
            if text is not None and ("/" in text) and (":" in text) is (family is Family.IPV6):
                found[network_bits(text)] += count
        except ValueError:
            continue
    return tuple(
        network for network in found if any(each & network[1] == network[0] for each in endpoints) or not endpoints
    )


def _around(addresses: Iterable[int], family: Family) -> tuple[Bits, ...]:
    width, length = BITS[family], _AROUND[family]
    mask = (1 << width) - (1 << (width - length))
    return tuple(sorted({(address & mask, mask) for address in addresses}))
