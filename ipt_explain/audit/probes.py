"""Packets sent through a dump to learn what becomes of traffic that every cluster has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipt_explain.audit.context import RulesetContext
from ipt_explain.model import Chain, Dump, Rule
from ipt_explain.netfilter.addresses import format_address, parse_network
from ipt_explain.records import dataclass

if TYPE_CHECKING:
    from ipt_explain.trace.packet import Packet


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a probe ends for certain: a rule outside kube-proxy's chains, or a policy where `rule` is None."""

    table: str
    chain: Chain
    rule: Rule | None
    dropped: bool
    source: str
    destination: str


@dataclass(frozen=True, slots=True)
class _Pod:
    address: str
    port: int
    protocol: str


# An address of the node that no dump has (RFC 5737, RFC 3849), so that no other is taken for the node's.
_NODE = ("192.0.2.1", "2001:db8::1")
_DOCKER = "172.17."
_API_SERVER = ("default", "kubernetes")


def has_barriers(context: RulesetContext) -> bool:
    """Whether anything outside kube-proxy's chains in filter drops or refuses: else no probe is needed."""
    table = context.table("filter")
    for name, chain in table.chains.items() if table is not None else ():
        if chain.policy == "DROP":
            return True
        if not name.startswith("KUBE-") and any(rule.target in ("DROP", "REJECT") for rule in chain.rules):
            return True
    return False


def forward_stop(context: RulesetContext) -> Stop | None:
    """Where every new connection between two pods ends, if it does."""
    pods = _pods(context)
    if len(pods) < 2:
        return None
    return _stop(context, _packet(pods[0].address, pods[1]), _NODE)


def output_stop(context: RulesetContext) -> Stop | None:
    """Where every new connection of the node itself to a pod ends, if it does."""
    pods = _pods(context)
    if not pods:
        return None
    source = _NODE[":" in pods[0].address]
    return _stop(context, _packet(source, pods[0], entry="output"), _NODE)


def api_server_stop(context: RulesetContext) -> Stop | None:
    """Where every new connection of a pod to the API server ends, if it does and the API server runs on the node."""
    pods = _pods(context)
    for service in context.services:
        if (service.namespace, service.name) == _API_SERVER:
            for endpoint in service.endpoints:
                if endpoint.address is not None and endpoint.port is not None and pods:
                    server = _Pod(endpoint.address, endpoint.port, service.protocol)
                    return _stop(context, _packet(pods[0].address, server), (endpoint.address,))
    return None


def drops_replies(context: RulesetContext) -> Chain | None:
    """filter INPUT, if its policy is DROP and no rule that it leads to accepts known connections."""
    table, graph = context.table("filter"), context.graph("filter")
    chain = None if table is None else table.chains.get("INPUT")
    if table is None or graph is None or chain is None or chain.policy != "DROP":
        return None
    for name in graph.reachable_from("INPUT"):
        reached = table.chains.get(name)
        if reached is not None and any(map(_may_accept_replies, reached.rules)):
            return None
    return chain


def _may_accept_replies(rule: Rule) -> bool:
    if rule.target != "ACCEPT":
        return False
    states = rule.match("conntrack", "--ctstate") or rule.match("state", "--state")
    if states is not None:
        return "ESTABLISHED" in states.split(",")
    # kube-proxy's health check ports are for new connections to the node.
    return not rule.chain.startswith("KUBE-")


def _pods(context: RulesetContext) -> list[_Pod]:
    """Two endpoints with different addresses, of Services other than the API server's; where there are none, two
    addresses of the pod network.
    """
    pods: list[_Pod] = []
    for service in context.services:
        if (service.namespace, service.name) == _API_SERVER:
            continue
        for endpoint in service.endpoints:
            if endpoint.address is None or endpoint.port is None:
                continue
            if all(pod.address != endpoint.address for pod in pods):
                pods.append(_Pod(endpoint.address, endpoint.port, service.protocol))
                if len(pods) == 2:
                    return pods
    return pods or _made_up_pods(context)


def _made_up_pods(context: RulesetContext) -> list[_Pod]:
    networks = {service.masquerade.off_cluster for service in context.services} - {None}
    for text in sorted(filter(None, networks)):
        try:
            network = parse_network(text)
        except ValueError:  # other conditions than a network tell pods' traffic
            continue
        addresses = (network.value | 5, (network.value | 6) + 0x100)
        if all(map(network.holds, addresses)):
            return [_Pod(format_address(address, network.family), 80, "tcp") for address in addresses]
    return []


def _packet(source: str, to: _Pod, entry: str = "prerouting") -> Packet:
    from ipt_explain.trace.packet import Packet  # few dumps need a probe, and tracing is much to load

    return Packet(source, to.address, to.protocol, to.port, entry=entry)


def _elsewhere(packet: Packet) -> list[str]:
    """What is assumed of interfaces: pods are not behind the bridges of Docker and libvirt, unless their addresses say
    so.
    """
    bridges = ["virbr"] if packet.source.startswith(_DOCKER) else ["docker0", "virbr"]
    return [f"{side} {bridge}=no" for side in ("-i", "-o") for bridge in bridges]


def _stop(context: RulesetContext, packet: Packet, local: tuple[str, ...]) -> Stop | None:
    from ipt_explain.trace.tracer import trace

    dump = Dump(context.text.name, (context.ruleset,), context.text)
    traced = trace(dump, packet, local_addresses=local, assume=_elsewhere(packet))
    if any(outcome.verdict not in ("DROP", "REJECT") for outcome in traced.outcomes) or not traced.outcomes:
        return None
    last = next(iter(reversed(traced.outcomes[0].path)), None)
    if last is None or last.table != "filter" or last.chain.name.startswith("KUBE-"):
        return None
    dropped = traced.outcomes[0].verdict == "DROP"
    return Stop(last.table, last.chain, last.rule, dropped, packet.source, packet.destination)
