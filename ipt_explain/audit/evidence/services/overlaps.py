"""Addresses and ports with two meanings in one ruleset: a Service's address that is also an endpoint's or a pod's, and
node ports that others use too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ipt_explain.analyzers.names import hash_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.balancing.balancing_chains import BalancingChains, balancing_chains
from ipt_explain.audit.evidence.balancing.endpoint_chains import EndpointChains, endpoint_chains
from ipt_explain.audit.evidence.names.proof import name_evidence
from ipt_explain.audit.evidence.services.front_rules import FrontRules, front_rules
from ipt_explain.audit.evidence.services.vital import is_api_server
from ipt_explain.audit.fact import fact
from ipt_explain.columns import column
from ipt_explain.enums import Enum
from ipt_explain.model import Rule, Ruleset
from ipt_explain.netfilter.header import network_bits, parse_address
from ipt_explain.records import Record
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.ports import ServicePort
from ipt_explain.words import address_port

_CLUSTER_IP = " cluster IP"
# Chains in which the CNI portmap plugin, dockershim and Docker map the node's ports to pods.
_HOST_PORT_CHAINS = ("CNI-HOSTPORT-DNAT", "KUBE-HOSTPORTS", "DOCKER")
_PORT_OPTIONS = ("--dport", "--dports", "--destination-port", "--destination-ports")
_SPECIAL = (
    ("0.", "is not a machine's address"),
    ("127.", "is the node itself"),
    ("169.254.", "is link-local"),
    *((f"{octet}.", "is multicast") for octet in range(224, 240)),
    ("::1/", "is the node itself"),
    ("fe80:", "is link-local"),
    ("ff", "is multicast"),
)
_SPECIAL_STARTS = tuple(start.rstrip("/") for start, _ in _SPECIAL)


class TwoMeanings(Record):
    """A Service's rule whose address and port are also those of `endpoint`. `cluster_ip`: it is the Service's
    ClusterIP. `own`: the endpoint belongs to the same service port."""

    rule: Rule
    address: str
    endpoint: str
    dnat: Rule
    cluster_ip: bool
    own: bool


@fact
def two_meanings(context: RulesetContext) -> tuple[TwoMeanings, ...]:
    """Addresses of Services that are also endpoints'."""
    return tuple(_of_endpoints(front_rules(context), balancing_chains(context), endpoint_chains(context)))


def _of_endpoints(fronts: FrontRules, balancing: BalancingChains, endpoints: EndpointChains) -> Iterator[TwoMeanings]:
    written = {address_port(host, port): (host, protocol, port) for host, protocol, port in fronts.addresses}
    if written.keys().isdisjoint(endpoints.written):
        return
    callers: dict[str, set[str]] = defaultdict(set)
    for caller, targets in balancing.targets.items():
        for target in targets:
            callers[target].add(caller[9:])
    for chain, destination in endpoints.destinations.items():
        address = written.get(destination)
        if address is not None and address[1] == endpoints.protocol(chain) and chain in callers:
            rule = fronts.addresses[address].rule
            yield TwoMeanings(
                rule,
                destination,
                chain,
                endpoints.dnat(chain),
                (rule.comment or "").endswith(_CLUSTER_IP),
                hash_of(rule.target or "") in callers[chain],
            )


class Hijack(Record):
    """A rule for an external address that is the ClusterIP of another Service."""

    rule: Rule
    victim: Rule


def taken_cluster_ips(fronts: FrontRules) -> Iterator[Hijack]:
    """External addresses that are ClusterIPs of other Services."""
    if not fronts.external:
        return
    cluster_ips: dict[str, Rule] = {}
    for address, evidence in fronts.addresses.items():
        if address not in fronts.external:
            cluster_ips.setdefault(address[0], evidence.rule)
    for address in fronts.external:
        rule, victim = fronts.addresses[address].rule, cluster_ips.get(address[0])
        if victim is not None and _service(victim) != _service(rule):
            yield Hijack(rule, victim)


def _service(rule: Rule) -> str:
    return (rule.comment or "").partition(" ")[0].partition(":")[0]


class BadVip(Record):
    """An unusable address of a Service; `why` says in words what is wrong."""

    rule: Rule
    host: str
    why: str
    layout: Overlap | None = None


class Overlap(Enum):
    """Whose addresses are in the network that kube-proxy treats as the pod network."""

    MIXED = "pods and some Services"
    SERVICES_ALONE = "Services, and no pod: the wrong range was given"
    ALL_SERVICES = "pods, and every Service: the platform gives Services a part of the cluster's range"


def _layout(services: Sequence[ServicePort], value: int, mask: int) -> Overlap:
    pods = [
        address
        for service in services
        if not is_api_server(service)
        for address in column(service.endpoints, "address")
    ]
    inside = [_lies_in(value, mask, address) for address in pods if address is not None]
    if inside and not any(inside):
        return Overlap.SERVICES_ALONE
    virtual = (service.cluster_ip for service in services if service.cluster_ip is not None)
    all_inside = any(inside) and all(_lies_in(value, mask, address) for address in virtual)
    return Overlap.ALL_SERVICES if all_inside else Overlap.MIXED


def _lies_in(value: int, mask: int, address: str) -> bool:
    """Whether a network contains an address; False for invalid text."""
    try:
        return parse_address(address) & mask == value
    except ValueError:
        return False


@fact
def pod_networks(context: RulesetContext) -> Mapping[str, list[ServicePort]]:
    """The networks that kube-proxy treats as the pod network, with the service ports whose rules name them."""
    found: dict[str, list[ServicePort]] = defaultdict(list)
    for service in context.services:
        network = service.masquerade.off_cluster
        if network is not None and not network.startswith("-"):
            found[network].append(service)
    return found


@fact
def bad_vips(context: RulesetContext) -> tuple[BadVip, ...]:
    """Addresses of Services in the pod network, or that no client can reach. Each address once."""
    return tuple(_bad_vips(context))


def _bad_vips(context: RulesetContext) -> Iterator[BadVip]:
    networks = []
    for text in pod_networks(context):
        try:
            networks.append((*network_bits(text), ":" in text, text))
        except ValueError:
            continue
    hosts: dict[str, Evidence] = {}
    for (host, _, _), evidence in front_rules(context).addresses.items():
        if host:
            hosts.setdefault(host, evidence)
    for host, evidence in hosts.items():
        why = None
        if host.startswith(_SPECIAL_STARTS):
            why = next((words for start, words in _SPECIAL if f"{host}/".startswith(start)), None)
        if why is not None or host == "::":
            yield BadVip(evidence.rule, host, why or "is not a machine's address")
            continue
        try:
            address = parse_address(host)
        except ValueError:
            continue
        for value, mask, is_ipv6, text in networks:
            if address & mask == value and is_ipv6 == (":" in host):
                layout = _layout(context.services, value, mask)
                yield BadVip(evidence.rule, host, f"is in the pod network {text}", layout)
                break


class PortClash(Record):
    """A node port that another rule uses too."""

    rule: Rule
    protocol: str
    port: str
    other: Rule


def host_port_clashes(ruleset: Ruleset, fronts: FrontRules) -> Iterator[PortClash]:
    """Node ports that are also host ports of pods, on all addresses."""
    if not fronts.node_ports:
        return
    for name in _HOST_PORT_CHAINS:
        for other in ruleset.rules("nat", name):
            protocol = other.core("-p")
            if protocol is None or other.shape.core_option("-d") is not None:
                continue
            for port in _ports(other):
                rule = fronts.node_ports.get((protocol, port))
                if rule is not None:
                    yield PortClash(rule, protocol, port, other)


def _ports(rule: Rule) -> list[str]:
    for match in rule.shape.matches:
        for option in match.options:
            if option.name in _PORT_OPTIONS and not option.negated:
                return (rule.first(option) or "").split(",")
    return []


class SharedBackend(Record):
    """One `ip:port` that several Services have as an endpoint."""

    destination: str
    services: tuple[str, ...]


@fact
def shared_backends(context: RulesetContext) -> list[SharedBackend]:
    """Endpoints of more than one Service."""
    endpoints = endpoint_chains(context)
    destinations = endpoints.destinations
    if len(destinations) == len(endpoints.written):
        return []
    proved = name_evidence(context).proved
    users: dict[str, set[str]] = defaultdict(set)
    for caller, targets in balancing_chains(context).targets.items():
        owner = proved.get(caller[9:])
        for target in targets if owner is not None else ():
            if target in destinations and owner is not None:
                users[destinations[target]].add(owner.service)
    return [SharedBackend(destination, tuple(sorted(by))) for destination, by in users.items() if len(by) > 1]
