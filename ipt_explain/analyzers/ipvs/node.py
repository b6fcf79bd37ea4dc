"""What kube-proxy's sets and interface say about the node: fronts, local endpoints, bound addresses."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ipt_explain.analyzers.ipvs.entries import Place, SetEntries
from ipt_explain.analyzers.ipvs.fronts import Front, fronts
from ipt_explain.analyzers.ipvs.set_names import SetRole
from ipt_explain.model import Family
from ipt_explain.model.node import NodeFacts
from ipt_explain.model.node.interfaces import NodeAddresses
from ipt_explain.netfilter.header import parse_address
from ipt_explain.records import Record
from ipt_explain.services.ports import FrontendKind

PROXY_INTERFACE = "kube-ipvs0"
"""The interface that kube-proxy binds Service addresses to. DOWN and NOARP are normal for it."""


class IpvsNode(Record):
    """One family of a node in IPVS mode. None means unknown.

    `local_endpoints` are the endpoints on this node, ready or not, which are masqueraded when they connect to
    themselves (KUBE-LOOP-BACK). `bound` are the addresses on kube-ipvs0, `meant_to_be_bound` those of KUBE-IPVS-IPS.
    """

    family: Family
    fronts: tuple[Front, ...]
    local_endpoints: frozenset[Place] | None
    bound: frozenset[str] | None
    meant_to_be_bound: frozenset[str] | None

    def is_local(self, protocol: str, address: str, port: int) -> bool | None:
        """Whether an endpoint is on this node; None if KUBE-LOOP-BACK is unknown."""
        return None if self.local_endpoints is None else (protocol, address, port) in self.local_endpoints


@lru_cache(maxsize=4)
def ipvs_node(facts: NodeFacts, family: Family) -> IpvsNode:
    """One family of the node."""
    entries = SetEntries(facts, family)
    local = bound = meant = None
    if entries.knows(SetRole.LOOP_BACK):
        local = frozenset(entry.place for entry in entries.of(SetRole.LOOP_BACK))
    if entries.knows(SetRole.BOUND_ADDRESSES):
        meant = frozenset(entry.place[1] or "" for entry in entries.of(SetRole.BOUND_ADDRESSES))
    known = facts.addresses
    if known is not None and not known.cut and (PROXY_INTERFACE in known.interfaces or known.complete):
        on_it = (each for each in known.addresses if each.interface == PROXY_INTERFACE)
        bound = frozenset(each.address for each in on_it if each.family is family)
    return IpvsNode(family, fronts(facts, family, entries), local, bound, meant)


def unbound(node: IpvsNode, known: NodeAddresses | None) -> Iterator[Front]:
    """A front for each address with a virtual server that kube-proxy should have bound to its interface, but that the
    node lacks: it forwards packets to them. External addresses may be on an interface that is not shown."""
    if node.bound is None or known is None:
        return
    seen = {*node.bound, *(each.address for each in known.addresses)}
    meant = node.meant_to_be_bound or frozenset()
    for each in node.fronts:
        if each.address is None or each.address in seen or not each.servers:
            continue
        if FrontendKind.CLUSTER_IP in each.kinds or each.address in meant:
            seen.add(each.address)
            yield each


def unbound_addresses(facts: NodeFacts, family: Family) -> frozenset[int]:
    """The addresses of `unbound`: none if the input does not show interfaces or virtual servers."""
    if facts.addresses is None or facts.virtual_servers is None:
        return frozenset()
    found = unbound(ipvs_node(facts, family), facts.addresses)
    return frozenset(parse_address(each.address) for each in found if each.address is not None)


def node_port_address(facts: NodeFacts, family: Family) -> int | None:
    """An address of the node that has virtual servers for all node ports; None if the input shows none."""
    ports = [front.servers for front in ipvs_node(facts, family).fronts if front.address is None and front.servers]
    for server in ports[0] if ports else ():
        if all(any(each.address == server.address for each in servers) for servers in ports):
            return None if server.address is None else parse_address(server.address)
    return None


def serves_ipvs(facts: NodeFacts) -> bool | None:
    """Whether IPVS mode is active; None if the input has neither virtual servers nor sets.

    A node that left the mode without --cleanup keeps its sets, but has no servers.
    """
    if facts.virtual_servers is not None:
        return bool(facts.virtual_servers.servers)
    if not facts.sets:
        return None
    sets = (SetEntries(facts, family) for family in Family)
    return any(any(each.of(SetRole.CLUSTER_IP)) for each in sets)
