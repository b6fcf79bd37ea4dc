"""The addresses and ports that kube-proxy serves in IPVS mode: virtual servers, and what the sets say about them.

The node has no Service names, only addresses. Since 1.24, a Service with external traffic policy Local but no local
endpoint is served by the cluster's endpoints; nothing on the node shows that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipt_explain.analyzers.ipvs.entries import Place, SetEntries, SetEntry
from ipt_explain.analyzers.ipvs.set_names import SetRole
from ipt_explain.model import Family
from ipt_explain.model.node import NodeFacts
from ipt_explain.model.node.ipvs import VirtualServer
from ipt_explain.records import Record
from ipt_explain.services.ports import FrontendKind, TrafficPolicy

_KINDS = (
    (FrontendKind.CLUSTER_IP, (SetRole.CLUSTER_IP,)),
    (FrontendKind.EXTERNAL_IP, (SetRole.EXTERNAL_IP, SetRole.EXTERNAL_IP_LOCAL)),
    (FrontendKind.LOAD_BALANCER, (SetRole.LOAD_BALANCER,)),
)
_NODE_PORTS = {
    "tcp": (SetRole.NODE_PORT_TCP,),
    "udp": (SetRole.NODE_PORT_UDP,),
    "sctp": (SetRole.NODE_PORT_SCTP, SetRole.NODE_PORT_SCTP_BITMAP),
}
_LOCAL_NODE_PORTS = {
    "tcp": (SetRole.NODE_PORT_LOCAL_TCP,),
    "udp": (SetRole.NODE_PORT_LOCAL_UDP,),
    "sctp": (SetRole.NODE_PORT_LOCAL_SCTP, SetRole.NODE_PORT_LOCAL_SCTP_BITMAP),
}


class SourceRanges(Record):
    """The clients that may use a load balancer's address. Without networks nobody may; up to 1.33, 0.0.0.0/0 has this
    effect."""

    networks: tuple[str, ...]
    entries: tuple[SetEntry, ...]


class Front(Record):
    """One address and port, or one node port on all of the node's addresses.

    `kinds` come from the sets, mostly one; empty if no set has the place (a server made by hand, or a lost entry) or
    the sets are unknown (`kinds_known` False). `address` is None for a node port. `servers` are its virtual servers:
    one, several for a node port, none if only sets have it. `external_policy` is None if unknown, and for a ClusterIP,
    whose policy the node does not show. `source_ranges` is None if clients are not restricted, or if the sets are
    unknown (`source_ranges_known` False).
    """

    family: Family
    protocol: str
    address: str | None
    port: int
    kinds: tuple[FrontendKind, ...]
    kinds_known: bool
    servers: tuple[VirtualServer, ...]
    external_policy: TrafficPolicy | None
    source_ranges: SourceRanges | None
    source_ranges_known: bool
    entries: tuple[SetEntry, ...]


def fronts(facts: NodeFacts, family: Family, entries: SetEntries) -> tuple[Front, ...]:
    """All fronts of one family, with its `entries`: virtual servers in the order printed, then those that only the sets
    have."""
    return tuple(_Reading(facts, family, entries).fronts())


class _Reading:
    def __init__(self, facts: NodeFacts, family: Family, entries: SetEntries) -> None:
        self._family = family
        self._entries = entries
        self._servers = () if facts.virtual_servers is None else facts.virtual_servers.servers

    def fronts(self) -> Iterator[Front]:
        node_ports: dict[tuple[str, int], list[VirtualServer]] = {}
        order: list[VirtualServer | tuple[str, int]] = []
        seen: set[Place] = set()
        for server in self._servers:
            if server.family is not self._family or server.protocol is None or server.port is None:
                continue
            seen.add((server.protocol, server.address, server.port))
            if self._is_node_port(server):
                key = (server.protocol, server.port)
                if key not in node_ports:
                    order.append(key)
                node_ports.setdefault(key, []).append(server)
            else:
                order.append(server)
        for each in order:
            if isinstance(each, tuple):
                yield self._node_port(*each, node_ports[each])
            else:
                yield self._address((each.protocol or "", each.address, each.port or 0), (each,))
        for place in self._places_of_sets():
            if place not in seen:
                yield self._address(place, ())
        for protocol, port in self._ports_of_sets():
            if (protocol, port) not in node_ports:
                yield self._node_port(protocol, port, ())

    def _is_node_port(self, server: VirtualServer) -> bool:
        place = (server.protocol or "", server.address, server.port or 0)
        if any(self._entries.at(role, place) for _, roles in _KINDS for role in roles):
            return False
        return bool(self._node_port_entries(_NODE_PORTS, *place))

    def _node_port_entries(
        self, roles: dict[str, tuple[SetRole, ...]], protocol: str, address: str | None, port: int
    ) -> list[SetEntry]:
        """SetEntries of a node port: bitmaps have only the port, sets of SCTP also the node's address."""
        found = []
        for role in roles.get(protocol, ()):
            found += self._entries.at(role, (protocol, None, port))
            found += self._entries.at(role, (protocol, address, port)) if address is not None else []
        return found

    def _address(self, place: Place, servers: tuple[VirtualServer, ...]) -> Front:
        protocol, address, port = place
        kinds: list[FrontendKind] = []
        entries: list[SetEntry] = []
        for kind, roles in _KINDS:
            found = [entry for role in roles for entry in self._entries.at(role, place)]
            if found:
                kinds.append(kind)
                entries += found
        known = bool(kinds) or all(self._entries.knows(role) for _, roles in _KINDS for role in roles)
        restricted = self._entries.holds(SetRole.LOAD_BALANCER_FIREWALL, place)
        return Front(
            self._family,
            protocol,
            address,
            port,
            tuple(kinds),
            known,
            servers,
            self._policy(place, kinds),
            self._source_ranges(place) if restricted else None,
            restricted is not None or FrontendKind.LOAD_BALANCER not in kinds,
            tuple(entries),
        )

    def _policy(self, place: Place, kinds: list[FrontendKind]) -> TrafficPolicy | None:
        roles = []
        if FrontendKind.LOAD_BALANCER in kinds:
            roles.append(SetRole.LOAD_BALANCER_LOCAL)
        elif FrontendKind.EXTERNAL_IP in kinds:
            roles.append(SetRole.EXTERNAL_IP_LOCAL)
        for role in roles:
            local = self._entries.holds(role, place)
            if local is not None:
                return TrafficPolicy.LOCAL if local else TrafficPolicy.CLUSTER
        return None

    def _source_ranges(self, place: Place) -> SourceRanges:
        entries = self._entries.at(SetRole.SOURCE_RANGES, place)
        own = self._entries.at(SetRole.OWN_SOURCE, place)
        firewall = self._entries.at(SetRole.LOAD_BALANCER_FIREWALL, place)
        networks = tuple(network for entry in entries for network in entry.rest)
        return SourceRanges(networks, (*firewall, *entries, *own))

    def _node_port(self, protocol: str, port: int, servers: Iterable[VirtualServer]) -> Front:
        servers = tuple(servers)
        addresses = [server.address for server in servers] or [None]
        entries, local = (
            dict.fromkeys(entry for each in addresses for entry in self._node_port_entries(roles, protocol, each, port))
            for roles in (_NODE_PORTS, _LOCAL_NODE_PORTS)
        )
        policy = None
        if local or any(self._entries.knows(role) for role in _LOCAL_NODE_PORTS.get(protocol, ())):
            policy = TrafficPolicy.LOCAL if local else TrafficPolicy.CLUSTER
        kinds = (FrontendKind.NODE_PORT,)
        return Front(
            self._family, protocol, None, port, kinds, True, servers, policy, None, True, (*entries, *local)
        )  # fmt: skip

    def _places_of_sets(self) -> Iterable[Place]:
        """The places in sets of addresses, each once."""
        return dict.fromkeys(entry.place for _, roles in _KINDS for role in roles for entry in self._entries.of(role))

    def _ports_of_sets(self) -> Iterable[tuple[str, int]]:
        """Protocol and port of the entries in sets of node ports, each once."""
        places = (entry.place for roles in _NODE_PORTS.values() for role in roles for entry in self._entries.of(role))
        return dict.fromkeys((protocol, port) for protocol, _, port in places)
