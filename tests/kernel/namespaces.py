"""Two private network namespaces: a node with rules, and the world around it. No packet leaves them.

world                node
podw  <-- veth -->   cni0    pods
extw  <-- veth -->   eth0    clients outside
outw  <-- veth -->   snk0    the default route, where all packets that the node sends out can be seen
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator

PAIRS = {"pod": ("cni0", "podw"), "external": ("eth0", "extw"), "out": ("snk0", "outw")}
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


def missing() -> str | None:
    """Why such namespaces cannot be created here; None if they can."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    for tool in ("ip", "iptables-nft-restore", "iptables-legacy-restore", "ip6tables-nft-restore"):
        if shutil.which(tool) is None:
            return f"needs {tool}"
    made = subprocess.run(["ip", "netns", "add", f"iptx-{os.getpid()}-probe"], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", f"iptx-{os.getpid()}-probe"], capture_output=True, check=False)
    return "cannot make network namespaces here" if made.returncode else None


class Namespaces:
    """Both namespaces, connected, with the node's addresses. Use as a context manager."""

    _count = 0

    def __init__(self, ipv6: bool, addresses: tuple[str, ...]) -> None:
        Namespaces._count += 1
        tag = f"iptx-{os.getpid()}-{Namespaces._count}"
        self.names = {"node": f"{tag}-node", "world": f"{tag}-world"}
        self._ipv6 = ipv6
        self._addresses = addresses
        self._home = -1
        self._handles: dict[str, int] = {}

    def __enter__(self) -> Namespaces:  # noqa: PYI034 (Self needs Python 3.11)
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            for which, name in self.names.items():
                _run(["ip", "netns", "add", name])
                self._handles[which] = os.open(f"/run/netns/{name}", os.O_RDONLY)
            self._wire()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for handle in (*self._handles.values(), self._home):
            os.close(handle)
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    @contextlib.contextmanager
    def inside(self, which: str) -> Iterator[None]:
        """Run the block in `node` or `world`; sockets made there stay there."""
        _enter(self._handles[which])
        try:
            yield
        finally:
            _enter(self._home)

    def run(self, which: str, command: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program in a namespace."""
        with self.inside(which):
            return subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    def set_everywhere(self, option: str, value: str) -> None:
        """Set an IPv4 option on every interface of the node."""
        with self.inside("node"):
            for scope in ("all", "default", "lo", *(ends[0] for ends in PAIRS.values())):
                _write(f"ipv4/conf/{scope}/{option}", value)

    def _wire(self) -> None:
        world = self.names["world"]
        lines, others = ["link set lo up"], []
        for number, (node_end, world_end) in enumerate(PAIRS.values()):
            lines.append(
                f"link add {node_end} address {mac('node', number)} type veth"
                f" peer name {world_end} address {mac('world', number)} netns {world}"
            )
            lines.append(f"link set {node_end} up")
            others.append(f"link set {world_end} up")
        with self.inside("node"):
            self._set_node_options()
        self._ip("node", lines)
        self._ip("world", others)
        gateway, length, nodad = ("fd00:ffff::1", 128, " nodad") if self._ipv6 else ("192.0.2.1", 32, "")
        lines = []
        for address in self._addresses:
            host, _, device = address.partition("@")
            lines.append(f"addr add {host}/{length} dev {device or 'lo'}{nodad}")
        lines.append(f"neigh replace {gateway} lladdr {mac('world', 2)} nud permanent dev snk0")
        lines.append(f"route add default via {gateway} dev snk0 onlink")
        self._ip("node", lines)
        with self.inside("node"):
            for node_end, _ in PAIRS.values():
                _write(f"ipv4/conf/{node_end}/rp_filter", "0")

    def _set_node_options(self) -> None:
        for scope in ("all", "default"):
            _write(f"ipv4/conf/{scope}/rp_filter", "0")
            _write(f"ipv4/conf/{scope}/accept_local", "1")
            _write(f"ipv4/conf/{scope}/route_localnet", "1")
            _write(f"ipv4/conf/{scope}/send_redirects", "0")
            _write(f"ipv6/conf/{scope}/accept_dad", "0")
            _write(f"ipv6/conf/{scope}/accept_ra", "0")
        for path, value in (
            ("ipv4/ip_forward", "1"),
            ("ipv6/conf/all/forwarding", "1"),
            ("ipv4/icmp_ratelimit", "0"),
            ("ipv4/icmp_msgs_per_sec", "10000000"),
            ("ipv4/icmp_msgs_burst", "10000000"),
            ("ipv6/icmp/ratelimit", "0"),
        ):
            _write(path, value)

    def _ip(self, which: str, lines: list[str]) -> None:
        family = "-6" if self._ipv6 else "-4"
        done = self.run(which, ["ip", family, "-batch", "-"], "\n".join(lines) + "\n")
        if done.returncode:
            raise RuntimeError(f"ip: {done.stderr.strip()}")


def mac(side: str, number: int) -> str:
    """The hardware address of one end of a pair."""
    return f"02:00:00:00:{'01' if side == 'node' else '02'}:0{number}"


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _write(path: str, value: str) -> None:
    with contextlib.suppress(OSError), open(f"/proc/sys/net/{path}", "w") as file:
        file.write(value)


def _enter(handle: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(handle, _NEW_NETWORK):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
