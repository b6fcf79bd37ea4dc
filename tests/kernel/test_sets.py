"""Elements that the kernel finds in its sets, and what we say of packets that show them."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SEARCH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
MISSING = [tool for tool in ("ipset", "unshare") if shutil.which(tool, path=SEARCH) is None]

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="making a network namespace takes root"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]

QUESTIONS = 150


@pytest.mark.parametrize("seed", range(3))
def test_the_kernel_and_we_find_the_same_elements(seed: int) -> None:
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", f"from tests.kernel.test_sets import ask; ask({seed})"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": SEARCH, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    if "set type not supported" in done.stderr or "Cannot open session" in done.stderr:
        pytest.skip(f"this kernel lacks IP sets: {done.stderr.strip()}")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


class _Luck(random.Random):
    def address(self) -> str:
        return f"10.{self.randint(0, 1)}.0.{self.randint(0, 3)}"

    def network(self) -> str:
        return f"{self.address()}/{self.choice([8, 15, 16, 30, 31, 32])}"

    def port(self) -> str:
        return self.choice(["tcp:80", "udp:80", "sctp:80", "tcp:81", "udplite:80", "icmp:8/0", "icmp:3/1", "gre:0"])


def ask(seed: int) -> None:
    """In a namespace of its own: make sets, read them, and print each packet of which we say otherwise than the kernel."""
    luck = _Luck(seed)
    kinds = {
        "hash:ip": luck.address,
        "hash:ip netmask 31": luck.address,
        "hash:net": luck.network,
        "hash:ip,port": lambda: f"{luck.address()},{luck.port()}",
        "hash:net,port": lambda: f"{luck.network()},{luck.port()}",
        "hash:ip,port,ip": lambda: f"{luck.address()},{luck.port()},{luck.address()}",
        "hash:ip,port,net": lambda: f"{luck.address()},{luck.port()},{luck.network()}",
        "bitmap:port range 0-65535": lambda: str(luck.randint(79, 82)),
        "bitmap:ip range 10.0.0.0/15 netmask 30": luck.address,
    }
    for number, (kind, element) in enumerate(kinds.items()):
        subprocess.run(["ipset", "create", f"s{number}", *kind.split()], check=True)
        for _ in range(luck.randint(1, 6)):
            nomatch = ["nomatch"] if "net" in kind.split()[0] and luck.random() < 0.3 else []
            subprocess.run(["ipset", "-!", "add", f"s{number}", element(), *nomatch], check=False)
    sets = _known_sets(subprocess.run(["ipset", "save"], check=True, capture_output=True, text=True).stdout)
    for _ in range(QUESTIONS):
        number, kind = luck.choice(list(enumerate(kinds)))
        source, destination, port = luck.address(), luck.address(), luck.port()
        parts = len(kind.split()[0].partition(":")[2].split(","))
        shown = [destination, port, source][:parts]
        directions = ["dst", "dst", "src"][:parts]
        if kind.startswith("bitmap:port"):
            protocol, _, digits = port.partition(":")
            if protocol not in ("tcp", "udp"):
                continue
            shown = [digits]
        found = subprocess.run(["ipset", "test", f"s{number}", ",".join(shown)], check=False, capture_output=True)
        said = sets.holds(f"s{number}", directions, *_packet(source, destination, port))
        if (found.returncode == 0) is not (said.value == "yes"):
            print(kind, shown, "the kernel:", found.returncode == 0, "we:", said)


def _known_sets(text: str):  # type: ignore[no-untyped-def]  # imported only inside the namespace
    from ipt_explain.netfilter.node_facts import known_sets
    from ipt_explain.parsing import read_dump

    return known_sets(read_dump(text).node)


def _packet(source: str, destination: str, text: str):  # type: ignore[no-untyped-def]
    from ipt_explain.model import Family
    from ipt_explain.netfilter.header import parse_address, protocol_number
    from ipt_explain.netfilter.hooks import Hook
    from ipt_explain.netfilter.packet import Connection, Heading, Node, PacketState

    name, _, rest = text.partition(":")
    kind, code = map(int, rest.split("/")) if "/" in rest else (8, 0)
    port = int(rest) if name in ("tcp", "udp", "sctp", "udplite") else None
    start = parse_address(source)
    connection = Connection(
        Family.IPV4, protocol_number(name) or 0, start, 40000, local=False, icmp_type=kind, icmp_code=code
    )
    state = PacketState(connection, Node(), Hook.FORWARD, start, 40000, "eth0")
    return state, Heading(parse_address(destination), port)
