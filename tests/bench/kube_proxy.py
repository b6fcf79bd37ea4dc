"""What kube-proxy 1.30 writes for Services, as `iptables-legacy-save` prints it.

Names of chains are the real hashes and probabilities the kernel's own; above 1,000 endpoints the comments that kube-proxy
leaves out there are absent. So whatever is true of captured dumps is true of these; `test_kube_proxy` compares the two.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

CLUSTER_CIDR = "10.128.0.0/9"
NODE = "192.168.50.11"
RULES_PER_DUMP = 23
"""Rules in every dump, whatever its services: hooks, KUBE-FORWARD, KUBE-POSTROUTING and the like."""

_LARGE_CLUSTER = 1_000
_STAMP = "v1.8.9 on Sun Nov 22 18:57:59 2026"

_FILTER_CHAINS = (
    "KUBE-EXTERNAL-SERVICES", "KUBE-FIREWALL", "KUBE-FORWARD", "KUBE-NODEPORTS", "KUBE-PROXY-CANARY", "KUBE-PROXY-FIREWALL",
    "KUBE-SERVICES",
)  # fmt: skip
_NAT_CHAINS = ("KUBE-MARK-MASQ", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-PROXY-CANARY", "KUBE-SERVICES")

_FILTER = """\
INPUT -j KUBE-FIREWALL
INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
OUTPUT -j KUBE-FIREWALL
OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" \
-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"""

_NAT = """\
PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully"""

_NODE_PORTS = (
    '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype'
    " --dst-type LOCAL -j KUBE-NODEPORTS"
)


@dataclass(frozen=True, slots=True)
class Service:
    """One service port. `local` has those of its endpoints that are on this node, for policies Local."""

    name: str
    vip: str
    port: int
    endpoints: tuple[str, ...]
    protocol: str = "tcp"
    node_port: int | None = None
    balancer_ips: tuple[str, ...] = ()
    source_ranges: tuple[str, ...] = ()
    external_ips: tuple[str, ...] = ()
    affinity_seconds: int | None = None
    external_local: bool = False
    internal_local: bool = False
    local: tuple[str, ...] = ()
    health_port: int | None = None

    @property
    def chain(self) -> str:
        """Its KUBE-SVC chain."""
        return self.own_chain("SVC")

    @property
    def exposed(self) -> bool:
        """Whether it has a node port, load balancer or external IP."""
        return bool(self.node_port or self.balancer_ips or self.external_ips)

    def own_chain(self, role: str) -> str:
        """Its KUBE-SVC, KUBE-SVL, KUBE-EXT or KUBE-FW chain."""
        return f"KUBE-{role}-" + _hash(self.name + self.protocol)

    def endpoint_chain(self, endpoint: str) -> str:
        """The KUBE-SEP chain of one of its endpoints."""
        return "KUBE-SEP-" + _hash(self.name + self.protocol + endpoint)

    def at(self, address: str | None, comment: str, port: int, local: str = "") -> str:
        """What matches its traffic to an address and port. `local` is what else a rule on node ports asks."""
        where = "" if address is None else f"-d {address}/32 "
        return f'{where}-p {self.protocol} -m comment --comment "{self.name}{comment}"{local} -m {self.protocol} --dport {port}'


def node_lines(services: Collection[Service]) -> Iterator[str]:
    """The dump of a node in a cluster of these Services, in lines with their LF."""
    rules = _Rules(comments=sum(len(service.endpoints) for service in services) <= _LARGE_CLUSTER)
    for service in services:
        rules.add(service)
    rules.nat["KUBE-SERVICES"].append(_NODE_PORTS)
    yield from _table("filter", ("INPUT", "FORWARD", "OUTPUT"), _FILTER_CHAINS, _FILTER, rules.filter)
    yield from _table("mangle", ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"), ("KUBE-PROXY-CANARY",))
    yield from _table("nat", ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"), _NAT_CHAINS, _NAT, rules.nat)


def rules_of(service: Service) -> int:
    """How many rules kube-proxy writes for it."""
    rules = _Rules(comments=False)
    rules.add(service)
    return sum(len(chain) for table in (rules.filter, rules.nat) for chain in table.values())


def _table(
    name: str, hooks: Iterable[str], chains: Iterable[str], always: str = "", services: dict[str, list[str]] | None = None
) -> Iterator[str]:
    rules: defaultdict[str, list[str]] = defaultdict(list)
    for line in always.splitlines():
        chain, _, rule = line.partition(" ")
        rules[chain].append(rule)
    own = sorted({*chains, *(services or ())})
    yield from (f"# Generated by iptables-save {_STAMP}\n", f"*{name}\n")
    yield from (f":{chain} ACCEPT [0:0]\n" for chain in hooks)
    yield from (f":{chain} - [0:0]\n" for chain in own)
    for chain in (*hooks, *own):
        yield from (f"-A {chain} {rule}\n" for rule in rules[chain])
        yield from (f"-A {chain} {rule}\n" for rule in (services or {}).get(chain, ()))
    yield from ("COMMIT\n", f"# Completed on {_STAMP.partition(' on ')[2]}\n")


class _Rules:
    """What Services add to the chains of the tables filter and nat."""

    def __init__(self, comments: bool) -> None:
        self.filter: defaultdict[str, list[str]] = defaultdict(list)
        self.nat: defaultdict[str, list[str]] = defaultdict(list)
        self._comments = comments

    def add(self, service: Service) -> None:
        """All its rules, each behind those of earlier Services."""
        self._cluster_ip(service)
        self._addresses(service)
        if service.exposed and service.endpoints:
            self._external(service)
        balanced = service.endpoints if service.exposed or not service.internal_local else ()
        self._balance(service, service.chain, balanced)
        if service.internal_local or (service.external_local and service.exposed):
            self._balance(service, service.own_chain("SVL"), service.local)
        for endpoint in balanced or service.local:
            self._endpoint(service, endpoint)

    def _cluster_ip(self, service: Service) -> None:
        if not (service.local if service.internal_local else service.endpoints):
            self._refuse(service, "KUBE-SERVICES", service.vip, service.port)
            return
        chain, matched = service.own_chain("SVL" if service.internal_local else "SVC"), service.at(service.vip, " cluster IP", service.port)
        self.nat["KUBE-SERVICES"].append(f"{matched} -j {chain}")
        self.nat[chain].append(f"! -s {CLUSTER_CIDR} {matched} -j KUBE-MARK-MASQ")

    def _addresses(self, service: Service) -> None:
        """External IPs, load balancers and the node port, with what refuses their traffic if nobody serves it."""
        served = service.local if service.external_local else service.endpoints
        outside, firewall = service.own_chain("EXT"), service.own_chain("FW")
        for kind, addresses in (("external", service.external_ips), ("loadbalancer", service.balancer_ips)):
            fenced = kind == "loadbalancer" and service.source_ranges
            for address in addresses:
                if service.endpoints:
                    matched = service.at(address, f" {kind} IP", service.port)
                    self.nat["KUBE-SERVICES"].append(f"{matched} -j {firewall if fenced else outside}")
                if service.endpoints and fenced:
                    matched = service.at(address, f" traffic not accepted by {firewall}", service.port)
                    self.filter["KUBE-PROXY-FIREWALL"].append(f"{matched} -j DROP")
                if not served:
                    self._refuse(service, "KUBE-EXTERNAL-SERVICES", address, service.port)
        if service.node_port is not None:
            if service.endpoints:
                self.nat["KUBE-NODEPORTS"].append(f"{service.at(None, '', service.node_port)} -j {outside}")
            if not served:
                self._refuse(service, "KUBE-EXTERNAL-SERVICES", None, service.node_port)
        if service.health_port is not None:
            self.filter["KUBE-NODEPORTS"].append(f"{service.at(None, ' health check node port', service.health_port)} -j ACCEPT")

    def _refuse(self, service: Service, chain: str, address: str | None, port: int) -> None:
        missing = " has no local endpoints" if service.endpoints else " has no endpoints"
        target = "DROP" if service.endpoints else "REJECT --reject-with icmp-port-unreachable"
        local = "" if address else " -m addrtype --dst-type LOCAL"
        self.filter[chain].append(f"{service.at(address, missing, port, local)} -j {target}")

    def _external(self, service: Service) -> None:
        """The Service's chains for traffic to its external addresses."""
        outside = self.nat[service.own_chain("EXT")]
        what = f"traffic for {service.name} external destinations"
        if service.external_local:
            local = "-m addrtype --src-type LOCAL"
            outside.append(f'-s {CLUSTER_CIDR} -m comment --comment "pod {what}" -j {service.chain}')
            outside.append(f'-m comment --comment "masquerade LOCAL {what}" {local} -j KUBE-MARK-MASQ')
            outside.append(f'-m comment --comment "route LOCAL {what}" {local} -j {service.chain}')
        else:
            outside.append(f'-m comment --comment "masquerade {what}" -j KUBE-MARK-MASQ')
        if not service.external_local or service.local:
            outside.append(f"-j {service.own_chain('SVL') if service.external_local else service.chain}")
        if not (service.source_ranges and service.balancer_ips):
            return
        node = ipaddress.ip_address(NODE)
        ranges = list(service.source_ranges)
        if any(node in ipaddress.ip_network(each) for each in ranges):
            ranges += [f"{address}/32" for address in service.balancer_ips]
        firewall = self.nat[service.own_chain("FW")]
        for each in ranges:
            source = "" if each == "0.0.0.0/0" else f"-s {each} "
            firewall.append(f'{source}-m comment --comment "{service.name} loadbalancer IP" -j {service.own_chain("EXT")}')
        firewall.append(f'-m comment --comment "other traffic to {service.name} will be dropped by KUBE-PROXY-FIREWALL"')

    def _balance(self, service: Service, chain: str, endpoints: tuple[str, ...]) -> None:
        if not endpoints:
            return
        rules, count = self.nat[chain], len(endpoints)
        told = [f'-m comment --comment "{service.name} -> {each}" ' if self._comments else "" for each in endpoints]
        chains = [service.endpoint_chain(each) for each in endpoints]
        if service.affinity_seconds is not None:
            recent = f"-m recent --rcheck --seconds {service.affinity_seconds} --reap --name"
            for comment, own in zip(told, chains, strict=True):
                rules.append(f"{comment}{recent} {own} --mask 255.255.255.255 --rsource -j {own}")
        for index, (comment, own) in enumerate(zip(told, chains, strict=True)):
            chance = "" if index == count - 1 else f"-m statistic --mode random --probability {_chance(count - index)} "
            rules.append(f"{comment}{chance}-j {own}")

    def _endpoint(self, service: Service, endpoint: str) -> None:
        chain, address = service.endpoint_chain(endpoint), endpoint.partition(":")[0]
        comment = f'-m comment --comment "{service.name}" ' if self._comments else ""
        recent = f"-m recent --set --name {chain} --mask 255.255.255.255 --rsource " if service.affinity_seconds else ""
        self.nat[chain] = [
            f"-s {address}/32 {comment}-j KUBE-MARK-MASQ",
            f"-p {service.protocol} {comment}{recent}-m {service.protocol} -j DNAT --to-destination {endpoint}",
        ]


def _chance(remaining: int) -> str:
    """1/`remaining` as kube-proxy writes it (ten digits), the kernel stores it (31 bits) and iptables-save prints it."""
    written = float(f"{1 / remaining:.10f}")
    return f"{round(written * 2**31) / 2**31:.11f}"


def _hash(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:16]
