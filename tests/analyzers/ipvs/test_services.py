"""Virtual servers as service ports, against what the cluster's objects say."""

from __future__ import annotations

import json

import pytest

import ipt_explain
from tests.ipvs_corpus import IpvsNode, ipvs_nodes

ALL = ("ip-addr-kube-ipvs0", "ipvsadm-save", "ipset-save", "iptables-save")
KINDS = {
    "clusterIP": "cluster-ip",
    "externalIP": "external-ip",
    "loadBalancer": "load-balancer",
    "nodePort": "node-port",
}


@pytest.mark.parametrize("node", ipvs_nodes()[::3], ids=lambda each: each.id)
def test_virtual_servers_are_as_the_objects_say(node: IpvsNode) -> None:
    document = json.loads(ipt_explain.explain(ipt_explain.parse(node.text(ALL))).to_json())
    found = {
        (frontend["kind"], frontend["address"] or "NODE", frontend["port"], service["protocol"]): (service, frontend)
        for service in document["services"]
        if service["family"] == "ipv4"
        for frontend in service["frontends"]
    }
    for truth in node.truth["families"].get("IPv4", {"virtual_servers": ()})["virtual_servers"]:
        service, frontend = found[KINDS[truth["kind"]], truth["address"], truth["port"], truth["protocol"]]
        assert service["name"] is None
        if truth["verdict"] == "dnat":
            (balancer,) = service["balancers"]
            reached = [each["endpoint"] for each in balancer["endpoints"] if each["probability"] != 0]
            assert sorted(reached) == sorted(truth["endpoints"])
            assert all(fate["served"] != 0 for fate in frontend["fates"].values()) or truth["source_ranges"]
        else:
            assert frontend["verdict"] != "balance"
