"""What kube-proxy's sets and interface say about the node: fronts, local endpoints, bound addresses."""

from __future__ import annotations

from ipt_explain.analyzers.ipvs.entries import Place, SetEntries
from ipt_explain.analyzers.ipvs.fronts import Front, fronts
from ipt_explain.analyzers.ipvs.set_names import SetRole
from ipt_explain.model import Family
from ipt_explain.model.node import NodeFacts
from ipt_explain.records import Record

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


def ipvs_node(facts: NodeFacts, family: Family) -> IpvsNode:
    """One family of the node."""
    entries = SetEntries(facts, family)
    local = bound = meant = None
    if entries.knows(SetRole.LOOP_BACK):
        local = frozenset(entry.place for entry in entries.of(SetRole.LOOP_BACK))
    if entries.knows(SetRole.BOUND_ADDRESSES):
        meant = frozenset(entry.place[1] or "" for entry in entries.of(SetRole.BOUND_ADDRESSES))
    if facts.addresses is not None and (PROXY_INTERFACE in facts.addresses.interfaces or facts.addresses.complete):
        on_it = (each for each in facts.addresses.addresses if each.interface == PROXY_INTERFACE)
        bound = frozenset(each.address for each in on_it if each.family is family)
    return IpvsNode(family, fronts(facts, family), local, bound, meant)


def serves_ipvs(facts: NodeFacts) -> bool | None:
    """Whether IPVS mode is active; None if the input has neither virtual servers nor sets.

    A node that left the mode without --cleanup keeps its sets, but has no servers.
    """
    if facts.virtual_servers is not None:
        return bool(facts.virtual_servers.servers)
    if not facts.sets:
        return None
    sets = (SetEntries(facts, family) for family in Family)
    return any(each.knows(SetRole.CLUSTER_IP) and any(each.of(SetRole.CLUSTER_IP)) for each in sets)
