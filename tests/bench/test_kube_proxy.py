"""The bench's kube-proxy writes the rules that the real one wrote for the same Services."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.bench.kube_proxy import CLUSTER_CIDR, Service, node_lines
from tests.kube_corpus import Scenario, scenario

_OF_ONE_SERVICE = re.compile(r"KUBE-[A-Z]+-[A-Z2-7]{16}")


def chains(text: str) -> dict[tuple[str, str], list[str]]:
    """Rules by table and chain, in order in the chains of one Service; the others hold Services in the order of a Go map."""
    found: dict[tuple[str, str], list[str]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line
        elif line.startswith(":"):
            found[table, line[1:].split()[0]] = []
        elif line.startswith("-A"):
            found[table, line.split()[1]].append(line)
    return {key: rules if _OF_ONE_SERVICE.match(key[1]) else sorted(rules) for key, rules in found.items()}


def service_ports(captured: Scenario) -> list[Service]:
    """What the real kube-proxy saw, as the objects tell."""
    return [_service_port(port) for port in captured.truth["families"]["IPv4"]]


def _service_port(port: dict[str, Any]) -> Service:
    internal_local, external_local = port["internal_policy"] == "Local", port.get("external_policy") == "Local"
    reachable = port.get("external_from_node_or_pods_endpoints", port["endpoints"])
    if not reachable and not port["no_endpoints"]:
        reachable = ["10.244.2.99:8080"]  # somewhere else, and no rule says where
    return Service(
        name=port["name"],
        vip=port["cluster_ip"],
        port=port["port"],
        endpoints=tuple(sorted(reachable)),
        protocol=port["protocol"],
        node_port=port["node_port"],
        balancer_ips=tuple(port["lb_ips"]),
        source_ranges=tuple(port["lb_source_ranges"]),
        external_ips=tuple(port["external_ips"]),
        affinity_seconds=port["affinity_seconds"],
        external_local=external_local,
        internal_local=internal_local,
        local=tuple(sorted(port["endpoints"] if internal_local else port["external_endpoints"] if external_local else ())),
        health_port=port["health_check_node_port"],
    )


@pytest.mark.parametrize("name", ["affinity", "affinity-legacy", "basic", "externalips", "large", "loadbalancer", "nodeport", "policy"])
def test_it_writes_what_the_real_one_wrote(name: str) -> None:
    captured = scenario("1.30", name)
    cidr = captured.config["options"]["cluster_cidr"]
    written = "".join(node_lines(service_ports(captured))).replace(CLUSTER_CIDR, cidr)
    expected, found = chains(captured.ipv4), chains(written)
    assert expected.keys() == found.keys()
    for key, rules in expected.items():
        assert rules == found[key]
