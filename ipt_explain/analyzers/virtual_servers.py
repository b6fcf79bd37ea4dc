"""The virtual servers that packets pass on a node. Costs nothing without output of IPVS tools."""

from __future__ import annotations

from ipt_explain.model.node import NodeFacts, VirtualServers


def servers_asked(facts: NodeFacts) -> VirtualServers | None:
    """The virtual servers in the input. If only sets show that the node is in IPVS mode, its servers are unknown: the
    result has none, and is incomplete."""
    if facts.virtual_servers is not None or not facts.sets:
        return facts.virtual_servers
    from ipt_explain.analyzers.ipvs.node import serves_ipvs

    return VirtualServers("", (), complete=False) if serves_ipvs(facts) else None
