"""The virtual servers that packets meet on a node. Costs nothing without output of IPVS tools."""

from __future__ import annotations

from ipt_explain.model.node.facts import NodeFacts, VirtualServers


def servers_asked(facts: NodeFacts) -> VirtualServers | None:
    """The servers shown; where sets alone tell of IPVS mode, none that are known, though there are some."""
    if facts.virtual_servers is not None or not facts.sets:
        return facts.virtual_servers
    from ipt_explain.analyzers.ipvs.node import serves_ipvs

    return VirtualServers("", (), complete=False) if serves_ipvs(facts) else None
