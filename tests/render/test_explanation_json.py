from __future__ import annotations

import json
from typing import Any

import pytest

from ipt_explain.model import Form
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import (
    FrontendKind,
    FrontendVerdict,
    Masquerade,
    Scope,
    ServiceChains,
    ServiceState,
    TrafficPolicy,
)
from tests.render.made import balancer, endpoint, explanation, frontend, ruleset, service


def as_data(made: Explanation) -> Any:
    return json.loads(made.to_json())


def test_a_service_in_full() -> None:
    endpoints = (
        endpoint(1, 0.5, local=True, affinity_timeout=10800, packets=12),
        endpoint(2, 0.5, local=False, hairpin=False, packets=0),
    )
    made = service(
        port_name="",
        endpoints=endpoints,
        frontends=(
            frontend(),
            frontend(
                FrontendKind.LOAD_BALANCER,
                address="203.0.113.9",
                balancer="KUBE-SVL-AAAAAAAAAAAAAAAA",
                node_balancer="KUBE-SVC-AAAAAAAAAAAAAAAA",
                source_ranges=("10.0.0.0/8",),
            ),
        ),
        balancers=(
            balancer(endpoints),
            balancer(endpoints[:1], chain="KUBE-SVL-AAAAAAAAAAAAAAAA", scope=Scope.LOCAL, unmatched=0.5),
        ),
        affinity_seconds=10800,
        internal_policy=TrafficPolicy.CLUSTER,
        external_policy=TrafficPolicy.LOCAL,
        health_check_node_port=30017,
        chains=ServiceChains("KUBE-SVC-A", "KUBE-SVL-A", "KUBE-EXT-A", "KUBE-FW-A"),
    )
    assert as_data(explanation(made))["services"] == [
        {
            "family": "ipv4",
            "source": "node.txt",
            "namespace": "shop",
            "name": "cart",
            "port_name": "",
            "protocol": "tcp",
            "cluster_ip": "10.96.14.7",
            "port": 80,
            "state": "serving",
            "frontends": [
                {
                    "kind": "cluster-ip",
                    "address": "10.96.14.7",
                    "port": 80,
                    "line": 310,
                    "verdict": "balance",
                    "balancer": "KUBE-SVC-AAAAAAAAAAAAAAAA",
                    "node_balancer": None,
                    "source_ranges": [],
                    "fates": None,
                },
                {
                    "kind": "load-balancer",
                    "address": "203.0.113.9",
                    "port": 80,
                    "line": 310,
                    "verdict": "balance",
                    "balancer": "KUBE-SVL-AAAAAAAAAAAAAAAA",
                    "node_balancer": "KUBE-SVC-AAAAAAAAAAAAAAAA",
                    "source_ranges": ["10.0.0.0/8"],
                    "fates": None,
                },
            ],
            "balancers": [
                {
                    "chain": "KUBE-SVC-AAAAAAAAAAAAAAAA",
                    "scope": "cluster",
                    "endpoints": [
                        {"endpoint": "10.244.1.1:8080", "probability": 0.5},
                        {"endpoint": "10.244.1.2:8080", "probability": 0.5},
                    ],
                    "unmatched": 0.0,
                },
                {
                    "chain": "KUBE-SVL-AAAAAAAAAAAAAAAA",
                    "scope": "local",
                    "endpoints": [{"endpoint": "10.244.1.1:8080", "probability": 0.5}],
                    "unmatched": 0.5,
                },
            ],
            "endpoints": [
                {
                    "address": "10.244.1.1",
                    "port": 8080,
                    "chain": "KUBE-SEP-AAAAAAAAAAAAAAA1",
                    "probability": 0.5,
                    "local": True,
                    "hairpin": True,
                    "affinity_timeout": 10800,
                    "packets": 12,
                    "line": 401,
                },
                {
                    "address": "10.244.1.2",
                    "port": 8080,
                    "chain": "KUBE-SEP-AAAAAAAAAAAAAAA2",
                    "probability": 0.5,
                    "local": None,
                    "hairpin": False,
                    "affinity_timeout": None,
                    "packets": 0,
                    "line": 402,
                },
            ],
            "affinity": {"type": "ClientIP", "timeout_seconds": 10800},
            "internal_traffic_policy": "Cluster",
            "external_traffic_policy": "Local",
            "health_check_node_port": 30017,
            "masquerade": {"hairpin": True, "all": False, "off_cluster": "10.244.0.0/16"},
            "chains": {
                "service": "KUBE-SVC-A",
                "local": "KUBE-SVL-A",
                "external": "KUBE-EXT-A",
                "firewall": "KUBE-FW-A",
            },
            "backend": "nft",
        }
    ]


def test_what_the_dump_does_not_show_is_null() -> None:
    made = service(
        namespace=None,
        name=None,
        port_name=None,
        cluster_ip=None,
        port=None,
        state=ServiceState.UNKNOWN,
        frontends=(frontend(FrontendKind.NODE_PORT, verdict=FrontendVerdict.UNKNOWN, balancer=None),),
        endpoints=(endpoint(1, 1.0, address=None, port=None, hairpin=None),),
        masquerade=Masquerade(None, False, None),
        chains=ServiceChains(),
    )
    found = as_data(explanation(made))["services"][0]
    for key in ("namespace", "name", "port_name", "cluster_ip", "port", "affinity", "internal_traffic_policy"):
        assert found[key] is None
    assert found["frontends"][0]["address"] is None
    assert found["frontends"][0]["balancer"] is None
    assert found["endpoints"][0]["address"] is None
    assert found["endpoints"][0]["hairpin"] is None
    assert set(found["chains"].values()) == {None}
    assert found["masquerade"] == {"hairpin": None, "all": False, "off_cluster": None}


def test_rulesets_and_warnings() -> None:
    made = Explanation(
        (
            ruleset(),
            ruleset(form=Form.FRAGMENT, backend=None, generator=None, mode=None, masquerade_mark=None, tables={}),
        ),
        (),
        ("one",),
    )
    data = as_data(made)
    assert list(data) == ["schema", "rulesets", "services", "warnings"]
    assert data["schema"] == "ipt-explain/explain/2"
    assert data["warnings"] == ["one"]
    complete, fragment = data["rulesets"]
    assert complete["tables"]["nat"] == {"chains": 22, "rules": 60}
    assert complete["masquerade_mark"] == "0x4000/0x4000"
    assert (complete["mode"], complete["backend"], complete["fragment"]) == ("iptables", "nft", False)
    assert (fragment["mode"], fragment["backend"], fragment["generator"], fragment["tables"]) == (None, None, None, {})
    assert fragment["fragment"] is True


def test_the_text_is_ascii_without_control_characters() -> None:
    made = service(name='a"\\b\x1b\x7f\u202e\udcff日')
    text = explanation(made).to_json()
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["services"][0]["name"] == 'a"\\b\x1b\x7f\u202e\udcff日'


@pytest.mark.parametrize("odd", ["KUBE-SEP-B", 'a"quote', "a\\backslash", "a\ttab", "größe"])
def test_values_beside_others_that_need_an_escape_or_are_not_known(odd: str) -> None:
    endpoints = (
        endpoint(1, 0.5),
        endpoint(2, 0.5, chain=odd, packets=0),
        endpoint(3, 0.0, address=None, port=None),
    )
    (data,) = as_data(explanation(service(endpoints=endpoints, balancers=(balancer(endpoints),))))["services"]
    plain = [endpoint(number, 0.0).chain for number in (1, 3)]
    assert [each["chain"] for each in data["endpoints"]] == [plain[0], odd, plain[1]]
    assert [each["packets"] for each in data["endpoints"]] == [None, 0, None]
    assert [each["address"] for each in data["endpoints"]] == ["10.244.1.1", "10.244.1.2", None]


def test_a_service_without_endpoints() -> None:
    (data,) = as_data(explanation(service(endpoints=(), balancers=(balancer(()),))))["services"]
    assert data["endpoints"] == data["balancers"][0]["endpoints"] == []
