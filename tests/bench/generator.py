"""Dumps of any size, as kube-proxy 1.30 would leave them. The same seed gives the same text.

    python -m tests.bench.generator 10000 10 > big.txt        # 10,000 Services of ten endpoints: 320,000 rules
    python -m tests.bench.generator --mixed 320000 > mixed.txt    # Services of 0 to 100 endpoints, a tenth of them exposed
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
from collections.abc import Iterator
from typing import Any

from tests.bench.kube_proxy import RULES_PER_DUMP, Service, node_lines, rules_of

_TEAMS = ("shop", "billing", "search", "media", "platform", "identity", "logistics", "edge")
_NOUNS = ("api", "web", "worker", "cache", "gateway", "store", "queue", "frontend", "mailer", "indexer")
_PORTS = (("", 80), ("http", 80), ("https", 443), ("grpc", 9090), ("metrics", 9153))
_ON_THIS_NODE = 4_096
"""So many pod addresses are of this node."""


def services(count: int, endpoints: int, seed: int = 1) -> list[Service]:
    """`count` service ports of `endpoints` endpoints each; at most 65,000 services and 4 million endpoints."""
    rng = random.Random(seed)
    found: list[Service] = []
    pods = _pods()
    for number in range(count):
        port_name, port = rng.choice(_PORTS)
        name = _name(rng, number) + (f":{port_name}" if port_name else "")
        target = rng.choice((8080, 8443, 3000, 9000))
        own = tuple(sorted(f"{next(pods)}:{target}" for _ in range(endpoints)))
        found.append(Service(name, _vip(number), port, own))
    return found


def mixed_services(rules: int, seed: int = 1) -> list[Service]:
    """Service ports as clusters have them, until a dump of them has `rules` rules; up to 500,000 or so.

    A tenth of the Services has no endpoint, half have one or two, a few a hundred. A fifth has two ports. A tenth is exposed.
    """
    rng = random.Random(seed)
    pods, node_pods = _pods(_ON_THIS_NODE), _pods()
    node_ports = iter(rng.sample(range(30_000, 32_768), 2_768))
    found = _system_services()
    written = RULES_PER_DUMP + sum(map(rules_of, found))
    number = 256
    while written < rules:
        number += 1
        name = _name(rng, number)
        size = 0 if rng.random() < 0.1 else min(100, int(rng.paretovariate(0.9)))
        exposed, balanced = rng.random() < 0.1, rng.random() < 0.4
        policy = {"external_local": exposed and rng.random() < 0.3, "internal_local": rng.random() < 0.02}
        here = min(size, int(any(policy.values()) and rng.random() < 0.3))
        addresses = tuple(next(node_pods if index < here else pods) for index in range(size))
        common: dict[str, Any] = {
            **policy,
            "vip": _vip(number),
            "protocol": "udp" if rng.random() < 0.03 else "tcp",
            "affinity_seconds": 10_800 if rng.random() < 0.05 else None,
            "balancer_ips": (f"198.18.{number >> 8}.{number & 255}",) if exposed and balanced else (),
            "external_ips": (f"198.19.{number >> 8}.{number & 255}",) if exposed and rng.random() < 0.15 else (),
            "source_ranges": ("203.0.113.0/24", "198.51.100.7/32") if balanced and rng.random() < 0.2 else (),
            "health_port": next(node_ports) if exposed and balanced and policy["external_local"] else None,
        }
        for port_name, port in (("http", 80), ("metrics", 9153)) if rng.random() < 0.2 else (rng.choice(_PORTS),):
            endpoints = [f"{address}:{8_000 + port % 1_000}" for address in addresses]
            service = Service(
                f"{name}:{port_name}" if port_name else name,
                port=port,
                endpoints=tuple(sorted(endpoints)),
                local=tuple(sorted(endpoints[:here])),
                node_port=next(node_ports) if exposed else None,
                **common,
            )
            found.append(service)
            written += rules_of(service)
    rng.shuffle(found)  # kube-proxy goes through a map
    return found


def dump(count: int, endpoints: int, seed: int = 1) -> str:
    """The dump of `services(count, endpoints, seed)`: 2 + 3 x `endpoints` rules per service, and `RULES_PER_DUMP`."""
    return "".join(node_lines(services(count, endpoints, seed)))


def mixed_dump(rules: int, seed: int = 1) -> str:
    """The dump of `mixed_services(rules, seed)`."""
    return "".join(node_lines(mixed_services(rules, seed)))


def _system_services() -> list[Service]:
    """Those of every cluster."""
    masters = tuple(f"192.168.50.{host}:6443" for host in (2, 3, 4))
    ports = (("dns", 53, "udp"), ("dns-tcp", 53, "tcp"), ("metrics", 9153, "tcp"))
    return [
        Service("default/kubernetes:https", "10.96.0.1", 443, masters),
        *(
            Service(f"kube-system/kube-dns:{name}", "10.96.0.10", port, (f"10.129.0.2:{port}", f"10.129.0.3:{port}"), protocol)
            for name, port, protocol in ports
        ),
    ]


def _name(rng: random.Random, number: int) -> str:
    return f"{rng.choice(_TEAMS)}/{rng.choice(_NOUNS)}-{number:05d}"


def _vip(number: int) -> str:
    return f"10.{96 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def _pods(first: int = 0) -> Iterator[str]:
    return (f"10.{128 + (pod >> 16)}.{pod >> 8 & 255}.{pod & 255}" for pod in itertools.count(first))


def main() -> None:
    """Print a dump."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.generator", description=__doc__.partition("\n")[0])
    parser.add_argument("numbers", type=int, nargs="*", help="of Services, and of endpoints per Service")
    parser.add_argument("--mixed", type=int, metavar="RULES", help="Services of all sizes instead, with that many rules")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found = services(*asked.numbers, seed=asked.seed) if asked.mixed is None else mixed_services(asked.mixed, asked.seed)
    sys.stdout.writelines(node_lines(found))


if __name__ == "__main__":
    main()
