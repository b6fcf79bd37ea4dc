"""Small inputs that are expensive for programs that recurse, walk every path, or compare all with all."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from tests.bench.ipvs import ipvs_node, partly_shown
from tests.bench.kube_proxy import Service, node_lines

_HEAD = "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
_DNAT = "-p tcp -m tcp -j DNAT --to-destination 10.244.0.9:8080\n"


def jump_chain(depth: int = 1_000) -> Iterator[str]:
    """Chains that each jump to the next."""
    yield _HEAD
    for number in range(depth):
        yield f":C{number:06d} - [0:0]\n"
    yield "-A PREROUTING -j C000000\n"
    for number in range(depth - 1):
        yield f"-A C{number:06d} -j C{number + 1:06d}\n"
    yield f"-A C{depth - 1:06d} {_DNAT}COMMIT\n"


def diamond(layers: int = 40) -> Iterator[str]:
    """Layers that each jump to the next in two ways: 2^layers paths through a few dozen chains."""
    yield _HEAD
    for number in range(layers + 1):
        yield f":L{number:03d} - [0:0]\n:A{number:03d} - [0:0]\n:B{number:03d} - [0:0]\n"
    yield "-A PREROUTING -j L000\n"
    for number in range(layers):
        yield (
            f"-A L{number:03d} -m statistic --mode random --probability 0.50000000000 -j A{number:03d}\n"
            f"-A L{number:03d} -j B{number:03d}\n"
            f"-A A{number:03d} -j L{number + 1:03d}\n"
            f"-A B{number:03d} -s 10.{number}.0.0/16 -j L{number + 1:03d}\n"
            f"-A B{number:03d} -j L{number + 1:03d}\n"
        )
    yield f"-A L{layers:03d} {_DNAT}COMMIT\n"


def long_chain(rules: int = 100_000) -> Iterator[str]:
    """One chain with one address per rule, like a block list."""
    yield "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    for number in range(rules):
        yield f"-A INPUT -s 11.{number >> 16}.{number >> 8 & 255}.{number & 255}/32 -j DROP\n"
    yield "COMMIT\n"


def large_service(endpoints: int = 33_000) -> Iterator[str]:
    """One service with more endpoints than clusters have, in a nat table where nothing marks or masquerades."""
    pods = tuple(f"10.{128 + (pod >> 16)}.{pod >> 8 & 255}.{pod & 255}:8080" for pod in range(endpoints))
    node = node_lines([Service("edge/everything", "10.96.0.1", 80, pods)])
    for line in itertools.dropwhile(lambda line: line != "*nat\n", node):
        if not line.startswith(("-A POSTROUTING", "-A KUBE-POSTROUTING", "-A KUBE-MARK-MASQ")):
            yield line


def exposed_services(count: int = 4_000) -> Iterator[str]:
    """Services with node ports, load balancers, source ranges and affinity: long chains of unlike rules."""
    networks = [f"{number >> 8}.{number & 255}" for number in range(count)]
    yield from node_lines(
        [
            Service(
                f"edge/shop-{number:04d}",
                vip=f"10.96.{network}",
                port=80,
                endpoints=(f"10.128.{network}:8080",),
                node_port=30_000 + number,
                balancer_ips=(f"198.18.{network}",),
                source_ranges=(f"198.19.{network}/32",),
                affinity_seconds=10_800,
            )
            for number, network in enumerate(networks)
        ]
    )


def long_line(size: int = 10_000_000) -> Iterator[str]:
    """One rule with a comment of 10 MB."""
    yield _HEAD + '-A PREROUTING -m comment --comment "'
    yield "x" * size
    yield '" -j ACCEPT\nCOMMIT\n'


def many_shapes(rules: int = 20_000, seed: int = 1) -> Iterator[str]:
    """Rules of which no two have the same form."""
    rng = random.Random(seed)
    words = (
        "-m conntrack --ctstate NEW", "-m mark --mark 0x1/0x1", "-m addrtype --dst-type LOCAL", "-m limit --limit 3/sec",
        "-m pkttype --pkt-type unicast", "-m length --length 40:50", "-m ttl --ttl-eq 64", "-m tos --tos 0x10/0x3f",
        "-m comment --comment x", "-m connmark --mark 0x2/0x2", "-m mac --mac-source 00:11:22:33:44:55", "-m set --match-set s src",
    )  # fmt: skip
    yield _HEAD
    for _ in range(rules):
        yield f"-A PREROUTING {' '.join(rng.sample(words, 6))} -j ACCEPT\n"
    yield "COMMIT\n"


def appended_and_deleted(rules: int = 5_000) -> Iterator[str]:
    """Restore input that deletes everything it adds."""
    yield _HEAD
    lines = [f"PREROUTING -s 11.0.{number >> 8}.{number & 255}/32 {_DNAT}" for number in range(rules)]
    yield from (f"-A {line}" for line in lines)
    yield from (f"-D {line}" for line in reversed(lines))
    yield "COMMIT\n"


def repeated_tables(sections: int = 100_000) -> Iterator[str]:
    """One empty table, repeated."""
    for _ in range(sections):
        yield "*nat\nCOMMIT\n"


def listed_chains(chains: int = 40_000) -> Iterator[str]:
    """`iptables -t nat -S` of a large node: a line for each chain, and its rule."""
    yield "-P PREROUTING ACCEPT\n-P INPUT ACCEPT\n-P OUTPUT ACCEPT\n-P POSTROUTING ACCEPT\n"
    yield from (f"-N KUBE-SEP-{number:016}\n" for number in range(chains))
    yield from (f"-A KUBE-SEP-{number:016} {_DNAT}\n" for number in range(chains))


WORST_CASES = {
    "a jump chain 1,000 deep": jump_chain,
    "a diamond of 40 layers": diamond,
    "100,000 rules in one chain": long_chain,
    "a service of 33,000 endpoints": large_service,
    "4,000 services with node ports, load balancers and affinity": exposed_services,
    "a line of 10 MB": long_line,
    "20,000 rules of different form": many_shapes,
    "5,000 rules appended and deleted": appended_and_deleted,
    "a table repeated 100,000 times": repeated_tables,
    "iptables -S of 40,000 chains": listed_chains,
    "10,000 virtual servers of IPVS": ipvs_node,
    "10,000 virtual servers of IPVS, most sets missing": partly_shown,
}
