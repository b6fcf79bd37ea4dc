"""Dumps of any size like those of kube-proxy 1.30 and `iptables-legacy-save`.

Names of chains are the real hashes and probabilities the kernel's own, so whatever is true of captured dumps is true of
generated ones. The same seed gives the same text.

    python -m tests.bench.generator 10000 10 > big.txt        # 320,000 rules of services
"""

from __future__ import annotations

import base64
import hashlib
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass

CLUSTER_CIDR = "10.128.0.0/9"
RULES_PER_DUMP = 23
"""Rules in every dump, whatever its services: hooks, KUBE-FORWARD, KUBE-POSTROUTING and the like."""

_TEAMS = ("shop", "billing", "search", "media", "platform", "identity", "logistics", "edge")
_NOUNS = ("api", "web", "worker", "cache", "gateway", "store", "queue", "frontend", "mailer", "indexer")
_PORTS = (("", 80), ("http", 80), ("https", 443), ("grpc", 9090), ("metrics", 9153))

_FILTER = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FIREWALL - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-CANARY - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-SERVICES - [0:0]
-A INPUT -j KUBE-FIREWALL
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A OUTPUT -j KUBE-FIREWALL
-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" \
-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
"""

_MANGLE = """\
*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-PROXY-CANARY - [0:0]
COMMIT
"""

_NAT_CHAINS = """\
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-PROXY-CANARY - [0:0]
"""

_NAT_RULES = """\
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
"""

_NODE_PORTS = (
    '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this '
    'chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS\n'
)


@dataclass(frozen=True, slots=True)
class Service:
    """One service port and its endpoints."""

    name: str
    vip: str
    port: int
    endpoints: tuple[str, ...]

    @property
    def chain(self) -> str:
        """Its KUBE-SVC chain."""
        return "KUBE-SVC-" + _hash(f"{self.name}tcp")

    def endpoint_chain(self, endpoint: str) -> str:
        """The KUBE-SEP chain of one of its endpoints."""
        return "KUBE-SEP-" + _hash(f"{self.name}tcp{endpoint}")


def services(count: int, endpoints: int, seed: int = 1) -> list[Service]:
    """`count` service ports of `endpoints` endpoints each; at most 65,000 services and 4 million endpoints."""
    rng = random.Random(seed)
    found: list[Service] = []
    pod = 0
    for number in range(count):
        port_name, port = rng.choice(_PORTS)
        label = f"{rng.choice(_TEAMS)}/{rng.choice(_NOUNS)}-{number:05d}" + (f":{port_name}" if port_name else "")
        target_port = rng.choice((8080, 8443, 3000, 9000))
        pods = []
        for _ in range(endpoints):
            pods.append(f"10.{128 + (pod >> 16)}.{pod >> 8 & 255}.{pod & 255}:{target_port}")
            pod += 1
        found.append(Service(label, f"10.{96 + (number >> 16)}.{number >> 8 & 255}.{number & 255}", port, tuple(sorted(pods))))
    return found


def dump_lines(count: int, endpoints: int, seed: int = 1, large_cluster: bool = False) -> Iterator[str]:
    """The dump of `services(count, endpoints, seed)`, in pieces that end with a line's LF.

    `large_cluster` leaves out the comments that kube-proxy omits above 1,000 endpoints; otherwise the text has them at any
    size, which is more to read for the same number of rules.
    """
    found = services(count, endpoints, seed)
    header = "# Generated by iptables-save v1.8.9 on Sun Nov 22 18:57:59 2026\n"
    footer = "# Completed on Sun Nov 22 18:57:59 2026\n"
    yield from (header, _FILTER, footer, header, _MANGLE, footer, header, _NAT_CHAINS)
    yield from service_rules(found, large_cluster, _NAT_RULES)
    yield footer


def service_rules(found: list[Service], large_cluster: bool = False, hooks: str = "") -> Iterator[str]:
    """The end of a nat table: the chains of the services, `hooks`, the services' rules, COMMIT."""
    by_chain = {service.endpoint_chain(pod): (service, pod) for service in found for pod in service.endpoints}
    endpoint_chains = sorted(by_chain)
    service_chains = sorted({service.chain: service for service in found}.items())
    for chain in endpoint_chains:
        yield f":{chain} - [0:0]\n"
    yield ":KUBE-SERVICES - [0:0]\n"
    for chain, _ in service_chains:
        yield f":{chain} - [0:0]\n"
    yield hooks
    for chain in endpoint_chains:
        yield _endpoint_rules(chain, *by_chain[chain], large_cluster)
    for service in found:
        yield (
            f'-A KUBE-SERVICES -d {service.vip}/32 -p tcp -m comment --comment "{service.name} cluster IP"'
            f" -m tcp --dport {service.port} -j {service.chain}\n"
        )
    yield _NODE_PORTS
    for chain, service in service_chains:
        yield _balancing_rules(chain, service, large_cluster)
    yield "COMMIT\n"


def dump(count: int, endpoints: int, seed: int = 1, large_cluster: bool = False) -> str:
    """`dump_lines`, joined: 2 + 3 x `endpoints` rules per service, and `RULES_PER_DUMP`."""
    return "".join(dump_lines(count, endpoints, seed, large_cluster))


def _endpoint_rules(chain: str, service: Service, pod: str, large_cluster: bool) -> str:
    comment = "" if large_cluster else f' -m comment --comment "{service.name}"'
    address = pod.partition(":")[0]
    return (
        f"-A {chain} -s {address}/32{comment} -j KUBE-MARK-MASQ\n"
        f"-A {chain} -p tcp{comment} -m tcp -j DNAT --to-destination {pod}\n"
    )


def _balancing_rules(chain: str, service: Service, large_cluster: bool) -> str:
    off_cluster = (
        f'-A {chain} ! -s {CLUSTER_CIDR} -d {service.vip}/32 -p tcp -m comment --comment "{service.name} cluster IP"'
        f" -m tcp --dport {service.port} -j KUBE-MARK-MASQ\n"
    )
    lines = [off_cluster]
    count = len(service.endpoints)
    for index, pod in enumerate(service.endpoints):
        comment = "" if large_cluster else f' -m comment --comment "{service.name} -> {pod}"'
        chance = "" if index == count - 1 else f" -m statistic --mode random --probability {_chance(count - index)}"
        lines.append(f"-A {chain}{comment}{chance} -j {service.endpoint_chain(pod)}\n")
    return "".join(lines)


def _chance(remaining: int) -> str:
    """1/`remaining` as kube-proxy writes it (ten digits), the kernel stores it (31 bits) and iptables-save prints it."""
    written = float(f"{1 / remaining:.10f}")
    return f"{round(written * 2**31) / 2**31:.11f}"


def _hash(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:16]


def main() -> None:
    """Print a dump; the arguments are the numbers of services and of endpoints per service."""
    count, endpoints = (int(word) for word in sys.argv[1:3])
    sys.stdout.writelines(dump_lines(count, endpoints, large_cluster="--large-cluster" in sys.argv))


if __name__ == "__main__":
    main()
