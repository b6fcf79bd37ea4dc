"""Which virtual server takes a packet.

Fact: ip_vs_service_find of net/netfilter/ipvs/ip_vs_ctl.c looks for a server of the packet's mark, then of its
protocol, address and port, then of port 21 for FTP's data connections, then of port 0. ip_vs_schedule and ip_vs_leave
of ip_vs_core.c let data connections pass unless that server is persistent.
"""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.model import Family
from ipt_explain.model.node import VirtualServers
from ipt_explain.model.node.ipvs import VirtualServer
from ipt_explain.netfilter.header import SCTP, TCP, UDP, parse_address, protocol_number
from ipt_explain.netfilter.truth import Truth

_FTP, _FTP_DATA, _ALL_PORTS = 21, 20, 0
_FIRST_EPHEMERAL = 1024
BALANCED = frozenset({TCP, UDP, SCTP})
"""The protocols whose connections IPVS balances."""


class ServerIndex:
    """Virtual servers by mark, and by protocol, address and port."""

    def __init__(self, found: VirtualServers) -> None:
        self.complete = found.complete
        self._by_mark: dict[tuple[Family, int], VirtualServer] = {}
        self._by_destination: dict[tuple[Family, int, int, int], VirtualServer] = {}
        self._places: set[tuple[Family, int, int]] = set()
        self._by_port: dict[tuple[Family, int], dict[int, None]] = {}
        self._ftp = self._all_ports = False
        for server in found.servers:
            if server.fwmark is not None:
                self._by_mark[server.family, server.fwmark] = server
            elif server.address is not None and server.port is not None and server.protocol is not None:
                protocol, address = protocol_number(server.protocol) or 0, parse_address(server.address)
                self._by_destination[server.family, protocol, address, server.port] = server
                self._places.add((server.family, protocol, address))
                self._by_port.setdefault((server.family, server.port), {})[address] = None
                self._ftp |= server.port == _FTP and server.persistence is not None
                self._all_ports |= server.port == _ALL_PORTS

    def find(
        self, family: Family, protocol: int, address: int, port: int | None, mark: int = 0
    ) -> VirtualServer | Truth:
        """The virtual server that takes the first packet of a connection.

        NO if none does. UNKNOWN if that depends on an unknown port, or if some servers are missing in the input.
        """
        missing = Truth.NO if self.complete else Truth.UNKNOWN
        if protocol not in BALANCED:
            return Truth.NO
        if mark:
            marked = self._by_mark.get((family, mark))
            if marked is not None:
                return marked
        if port is None:
            return self._without_port(family, protocol, address)
        found = self._by_destination.get((family, protocol, address, port))
        may_be_ftp = protocol == TCP and (port == _FTP_DATA or port >= _FIRST_EPHEMERAL)
        if found is None and self._ftp and may_be_ftp:
            found = self._by_destination.get((family, protocol, address, _FTP))
            if found is not None and found.persistence is None:
                found = None
        if found is None and self._all_ports:
            found = self._by_destination.get((family, protocol, address, _ALL_PORTS))
        return missing if found is None else found

    def addresses_with(self, family: Family, port: int) -> Iterable[int]:
        """The addresses that have servers for a port, in the order printed."""
        return self._by_port.get((family, port), ())

    def _without_port(self, family: Family, protocol: int, address: int) -> VirtualServer | Truth:
        here = (family, protocol, address) in self._places
        return Truth.UNKNOWN if here or not self.complete else Truth.NO
