"""Differences of many nodes as metrics: how many agree, and which do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ipt_explain import __version__
from ipt_explain.compare.differences import DifferenceKind
from ipt_explain.compare.fleet.comparison import FleetComparison
from ipt_explain.render.openmetrics import Gauge, openmetrics


def fleet_metrics(comparison: FleetComparison) -> Iterator[str]:
    """The comparison in the OpenMetrics format. It has every count, even 0, so that alerts resolve, but names single
    nodes only if something is wrong with them."""
    kinds = Counter(difference.kind for difference in comparison.differences)
    of_node = Counter(
        (node, difference.kind)
        for difference in comparison.differences
        if difference.nodes is not None
        for node in difference.nodes[1]
    )
    missing = dict.fromkeys(each.node for each in comparison.not_compared)
    differing = {node for node, _ in of_node}
    nodes = (
        ({"state": "compared"}, comparison.nodes),
        ({"state": "differing"}, len(differing)),
        ({"state": "not-compared"}, len(missing)),
    )
    services = (
        ({"state": "agreed"}, comparison.services),
        ({"state": "disputed"}, comparison.of - comparison.services),
    )
    return openmetrics(
        (
            Gauge("ipt_explain_fleet_nodes", "Nodes by the result of the comparison.", nodes),
            Gauge("ipt_explain_fleet_service_ports", "Service ports on which all nodes agree, or not.", services),
            Gauge(
                "ipt_explain_fleet_differences",
                "Differences between nodes by kind.",
                (({"kind": kind.value}, kinds[kind]) for kind in DifferenceKind),
            ),
            Gauge(
                "ipt_explain_fleet_node_differences",
                "Differences of a node from most nodes, by kind.",
                (({"node": node, "kind": kind.value}, number) for (node, kind), number in of_node.items()),
            ),
            Gauge(
                "ipt_explain_fleet_node_not_compared",
                "Nodes that could not be compared.",
                (({"node": node}, 1) for node in missing),
            ),
            Gauge("ipt_explain_build_info", "The version of ipt-explain.", [({"version": __version__}, 1)]),
        )
    )
