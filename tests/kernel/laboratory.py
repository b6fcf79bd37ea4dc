"""Loading rules into a real kernel, sending packets through them, and observing what happens to each."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from collections import Counter
from dataclasses import dataclass
from ipaddress import ip_address
from types import TracebackType

from tests.kernel.namespaces import PAIRS, Namespaces, mac
from tests.kernel.wire import TCP, UDP, Seen, build, read, read_segment

NODE = {False: "192.0.2.10", True: "fd00:ffff::a"}
_PROTOCOLS = {"tcp": TCP, "udp": UDP}
_ALL_FRAMES = 3
# How long to wait for a packet. A busy machine delays packets, and drops those that it cannot queue: a CPU's receive
# queue holds 1,000 (net.core.netdev_max_backlog), and each packet may be in it twice.
_SETTLE_SECONDS = 0.5
_QUIET_SECONDS = 0.02
_BATCH = 200


@dataclass(frozen=True)
class Shot:
    """A packet to send: `origin` is pod, external or host."""

    origin: str
    source: str
    destination: str
    protocol: str
    port: int


@dataclass(frozen=True)
class Fate:
    """What happened to a packet: `verdict` is forwarded, local, rejected or dropped."""

    verdict: str
    dnat: str | None = None
    masqueraded: bool = False


class Laboratory:
    """A node of one address family with one of iptables' two backends. `extra` are more addresses of the node."""

    def __init__(self, backend: str, ipv6: bool = False, extra: tuple[str, ...] = ()) -> None:
        self.ipv6 = ipv6
        self.node_address = NODE[ipv6]
        self.local_addresses = (f"{self.node_address}@snk0", *extra)
        self._tool = f"{'ip6' if ipv6 else 'ip'}tables-{backend}"
        self._spaces = Namespaces(ipv6, (f"{self.node_address}@snk0", *extra))
        self._family = socket.AF_INET6 if ipv6 else socket.AF_INET
        self._number = 1
        self._source_port = 1024
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Laboratory:  # noqa: PYI034 (Self needs Python 3.11)
        self._spaces.__enter__()
        with self._spaces.inside("world"):
            self._capture = self._packet_socket("outw", _ALL_FRAMES)
            self._senders = {origin: self._packet_socket(PAIRS[origin][1], 0) for origin in ("pod", "external")}
        with self._spaces.inside("node"):
            errors = socket.IPPROTO_ICMPV6 if self.ipv6 else socket.IPPROTO_ICMP
            self._receivers = {number: self._raw_socket(number) for number in (TCP, UDP, errors)}
            self._host_sender = self._raw_socket(socket.IPPROTO_RAW)
            if not self.ipv6:
                self._host_sender.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._sockets:
            one.close()
        self._spaces.__exit__()

    def load(self, rules: str) -> str:
        """Replace the node's rules; returns iptables-restore's complaint, "" if it has none."""
        wait = ["-w", "30"] if "legacy" in self._tool else []
        done = self._spaces.run("node", [f"{self._tool}-restore", *wait], rules)
        self._forget_connections()
        return done.stderr.strip() or "refused" if done.returncode else ""

    def saved(self) -> str:
        """The node's rules as iptables-save prints them."""
        return self._spaces.run("node", [f"{self._tool}-save"]).stdout

    def addresses(self) -> str:
        """The node's addresses as `ip addr` prints them."""
        return self._spaces.run("node", ["ip", "addr"]).stdout

    def route_localnet(self, on: bool) -> None:
        """Choose whether the node routes 127.0.0.0/8 to and from interfaces other than lo."""
        self._spaces.set_everywhere("route_localnet", "1" if on else "0")

    def fire(self, shots: list[Shot]) -> list[Fate]:
        """Send packets, each from a fresh port as a new connection; returns the fate of each."""
        first = self._number
        seen: dict[int, dict[str, Seen]] = {}
        ports: list[int] = []
        arriving = set(range(first, first + len(shots)))
        for place, shot in enumerate(shots):
            self._source_port = 1024 + (self._source_port - 1023) % 60000
            ports.append(self._source_port)
            source, destination = (socket.inet_pton(self._family, text) for text in (shot.source, shot.destination))
            number = _PROTOCOLS[shot.protocol]
            self._send(shot, build(source, destination, number, self._source_port, shot.port, first + place))
            if place % _BATCH == _BATCH - 1:
                self._listen(seen, arriving, _QUIET_SECONDS)
        self._number += len(shots)
        self._listen(seen, arriving, _SETTLE_SECONDS)
        return [
            self._fate(shot, port, seen.get(first + place, {})) for place, (shot, port) in enumerate(zip(shots, ports))
        ]

    def counts(self, shots: list[Shot], times: int) -> list[Counter[Fate]]:
        """The fates of each packet, counted over `times` rounds of sending all of them."""
        fates = self.fire(shots * times)
        return [Counter(fates[place :: len(shots)]) for place in range(len(shots))]

    def _send(self, shot: Shot, packet: bytes) -> None:
        if shot.origin == "host":
            to = (shot.destination, 0, 0, 0) if self.ipv6 else (shot.destination, 0)
            with contextlib.suppress(OSError):  # sending fails if OUTPUT drops or rejects the packet
                self._host_sender.sendto(packet, to)
            return
        number = list(PAIRS).index(shot.origin)
        ends = mac("node", number) + mac("world", number)
        kind = b"\x86\xdd" if self.ipv6 else b"\x08\x00"
        self._senders[shot.origin].send(bytes.fromhex(ends.replace(":", "")) + kind + packet)

    def _listen(self, seen: dict[int, dict[str, Seen]], arriving: set[int], seconds: float) -> None:
        """Record all our packets that arrive, until all of `arriving` have, or nothing arrives for some time."""
        until = time.monotonic() + seconds
        sockets = [self._capture, *self._receivers.values()]
        while arriving and (left := until - time.monotonic()) > 0:
            for one in select.select(sockets, [], [], left)[0]:
                found, where = self._received(one)
                if found is not None:
                    seen.setdefault(found.number, {}).setdefault("refused" if found.refused else where, found)
                    if not found.refused:
                        arriving.discard(found.number)
                    until = time.monotonic() + seconds

    def _received(self, one: socket.socket) -> tuple[Seen | None, str]:
        if one is self._capture:
            frame, about = one.recvfrom(4096)
            return (read(frame[14:]) if about[2] != socket.PACKET_OUTGOING else None), "forwarded"
        if not self.ipv6:
            return read(one.recv(4096)), "local"
        data, extra, _, sender = one.recvmsg(4096, 256)
        protocol = next(number for number, known in self._receivers.items() if known is one)
        destination = next((bytes(part[:16]) for level, kind, part in extra if kind == socket.IPV6_PKTINFO), b"")
        source = socket.inet_pton(socket.AF_INET6, sender[0].partition("%")[0])
        if protocol == socket.IPPROTO_ICMPV6:
            return read(_ipv6_header(protocol, source, destination) + data), "local"
        return read_segment(protocol, data, source, destination), "local"

    def _fate(self, shot: Shot, source_port: int, seen: dict[str, Seen]) -> Fate:
        for verdict in ("forwarded", "local"):
            if (found := seen.get(verdict)) is not None:
                source, destination = str(ip_address(found.source)), str(ip_address(found.destination))
                moved = (destination, found.port) != (str(ip_address(shot.destination)), shot.port)
                text = f"[{destination}]:{found.port}" if self.ipv6 else f"{destination}:{found.port}"
                changed = (source, found.source_port) != (str(ip_address(shot.source)), source_port)
                return Fate(verdict, text if moved else None, changed)
        return Fate("rejected" if "refused" in seen else "dropped")

    def _forget_connections(self) -> None:
        """Flush connection tracking: a ctnetlink delete without a tuple (nf_conntrack_netlink.c)."""
        with self._spaces.inside("node"), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as netlink:
            netlink.bind((0, 0))
            netlink.send(struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, 1 | 4, 1, 0, 0, 0, 0))
            netlink.recv(4096)

    def _packet_socket(self, interface: str, protocol: int) -> socket.socket:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
        self._sockets.append(made)
        made.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        made.bind((interface, protocol))
        return made

    def _raw_socket(self, protocol: int) -> socket.socket:
        made = socket.socket(self._family, socket.SOCK_RAW, protocol)
        self._sockets.append(made)
        made.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
        if self.ipv6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        return made


def _ipv6_header(protocol: int, source: bytes, destination: bytes) -> bytes:
    return struct.pack("!IHBB", 6 << 28, 0, protocol, 64) + source + destination
