"""A dump against the cluster's objects: no finding where the proxy did its work, and each change of them is one finding."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from ipt_explain.compare.objects.cluster import judge_all
from ipt_explain.compare.objects.proxy import Release, intents
from ipt_explain.compare.objects.reading import read_objects
from ipt_explain.errors import UsageError
from ipt_explain.model import Family
from ipt_explain.parsing import read_dump
from tests.compare.helpers import scenario
from tests.compare.objects_helpers import edited, items, judged, save_texts
from tests.kube_corpus import Scenario, scenarios

EACH_SCENARIO = pytest.mark.parametrize("capture", scenarios(), ids=lambda capture: capture.id)
VERDICTS = {"dnat": "balance", "reject": "reject", "drop": "drop", "fallthrough": "unmatched"}


@EACH_SCENARIO
def test_captured_rules_match_their_objects(capture: Scenario) -> None:
    texts = save_texts(capture)
    assert [each.message for each in judged(capture.objects, *texts)] == []
    assert [each.message for each in judged(capture.objects, *texts, node=capture.config["node_name"])] == []


@EACH_SCENARIO
def test_intents_match_the_captures_truth(capture: Scenario) -> None:
    """Against records that were derived from the objects by other code, and checked against the dump."""
    truth = capture.truth
    objects = read_objects(json.dumps(capture.objects), "objects.json")
    release = Release(int(capture.version.split(".")[1]))
    zone = objects.nodes[truth["node"]].zone
    for family_name, records in truth["families"].items():
        found = {
            (each.label, each.port.protocol): each
            for each in intents(objects, Family(family_name.lower()), truth["node"], zone, release)
        }
        assert set(found) == {(record["name"].rstrip(":"), record["protocol"]) for record in records}
        for record in records:
            intent = found[record["name"].rstrip(":"), record["protocol"]]
            reached = intent.local if intent.internal_local else intent.cluster
            assert reached == set(record["endpoints"])
            assert intent.cluster_ip_verdict.value == VERDICTS[record["internal_verdict"]]
            assert intent.affinity_seconds == record["affinity_seconds"]
            assert intent.port.node_port == record["node_port"]
            assert sorted(intent.load_balancers) == sorted(record["lb_ips"])
            assert sorted(intent.external_ips) == sorted(record["external_ips"])
            assert sorted(intent.source_ranges) == sorted(record["lb_source_ranges"])
            if "external_verdict" in record:
                assert intent.external_verdict.value == VERDICTS[record["external_verdict"]]
                assert (intent.local if intent.external_local else intent.cluster) == set(record["external_endpoints"])
                assert intent.cluster == set(record["external_from_node_or_pods_endpoints"])


def _spec(name: str, **fields: Any) -> Callable[[Any], None]:
    """Sets fields of a Service's spec."""

    def edit(objects: Any) -> None:
        for service in items(objects, "Service", name):
            service["spec"].update(fields)

    return edit


def _first_port(service_name: str, **fields: Any) -> Callable[[Any], None]:
    def edit(objects: Any) -> None:
        for service in items(objects, "Service", service_name):
            service["spec"]["ports"][0].update(fields)

    return edit


def _endpoints(name: str, change: Callable[[list[Any]], Any]) -> Callable[[Any], None]:
    def edit(objects: Any) -> None:
        for each in items(objects, "EndpointSlice", name):
            change(each["endpoints"])

    return edit


def _without(kind: str, name: str) -> Callable[[Any], None]:
    def edit(objects: Any) -> None:
        gone = list(items(objects, kind, name))
        assert gone
        objects["items"] = [item for item in objects["items"] if item not in gone]

    return edit


def _ingress(name: str, ingress: list[Any]) -> Callable[[Any], None]:
    def edit(objects: Any) -> None:
        for service in items(objects, "Service", name):
            service["status"] = {"loadBalancer": {"ingress": ingress}}

    return edit


def _new_service(objects: Any) -> None:
    added = next(iter(items(edited(objects, lambda _: None), "Service", "itp-local-0")))
    added["metadata"]["name"] = "brand-new"
    added["spec"] = {**added["spec"], "clusterIP": "10.96.7.7", "clusterIPs": ["10.96.7.7"]}
    objects["items"].append(added)


def _not_ready(endpoint: Any) -> None:
    endpoint["conditions"] = {"ready": False, "serving": False, "terminating": False}


NEW_POD = {"addresses": ["10.244.3.99"], "conditions": {"ready": True}, "nodeName": "node-c"}

# What is done to the objects of a capture, and the findings: kind and service port.
CHANGES: list[tuple[str, str, Callable[[Any], None], set[tuple[str, str]]]] = [
    ("a pod comes", "1.30/policy", _endpoints("etp-local-aff", lambda each: each.append(NEW_POD)), {("endpoint-missing", "default/etp-local-aff")}),
    ("a pod goes", "1.30/policy", _endpoints("etp-local-aff", lambda each: each.pop()), {("endpoint-stale", "default/etp-local-aff")}),
    ("a pod fails its readiness probe", "1.30/policy", _endpoints("etp-local-aff", lambda each: _not_ready(each[0])), {("endpoint-stale", "default/etp-local-aff")}),
    ("all pods go", "1.30/policy", _endpoints("etp-local-all", lambda each: each.clear()), {("endpoint-stale", "default/etp-local-all")}),
    ("a first pod comes", "1.30/policy", _without("Service", "itp-local-0"), {("service-stale", "default/itp-local-0")}),
    ("a pod elsewhere of a local service", "1.30/policy", _endpoints("itp-local", lambda each: each.append(NEW_POD)), set()),
    ("a pod here of a local service", "1.30/policy", _endpoints("itp-local", lambda each: each.append({**NEW_POD, "nodeName": "node-a"})), {("endpoint-missing", "default/itp-local")}),
    ("a Service is deleted", "1.30/policy", _without("Service", "itp-local"), {("service-stale", "default/itp-local")}),
    ("a Service is made", "1.30/policy", _new_service, {("service-missing", "default/brand-new")}),
    ("another proxy's Service", "1.30/policy", lambda objects: next(items(objects, "Service", "itp-local"))["metadata"]["labels"].update({"service.kubernetes.io/service-proxy-name": "x"}), {("service-stale", "default/itp-local")}),
    ("a Service turns headless", "1.30/policy", _spec("itp-local", clusterIP="None", clusterIPs=["None"]), {("service-stale", "default/itp-local")}),
    ("a port", "1.30/policy", _first_port("itp-local", port=81), {("port-differs", "default/itp-local")}),
    ("a protocol", "1.30/policy", lambda objects: (_first_port("itp-local", protocol="UDP")(objects), [each["ports"][0].update(protocol="UDP") for each in items(objects, "EndpointSlice", "itp-local")]), {("port-differs", "default/itp-local")}),
    ("a port's name", "1.30/policy", lambda objects: (_first_port("itp-local", name="web")(objects), [each["ports"][0].update(name="web") for each in items(objects, "EndpointSlice", "itp-local")]), {("port-differs", "default/itp-local:web")}),
    ("a ClusterIP", "1.30/policy", _spec("itp-local", clusterIP="10.96.9.9", clusterIPs=["10.96.9.9"]), {("port-differs", "default/itp-local")}),
    ("a node port", "1.30/policy", _first_port("etp-local-aff", nodePort=30999), {("port-differs", "default/etp-local-aff")}),
    ("a health check node port", "1.30/policy", _spec("etp-local-all", healthCheckNodePort=30998), {("port-differs", "default/etp-local-all")}),
    ("an external IP", "1.30/externalips", _spec("ext1", externalIPs=["198.51.100.250"]), {("port-differs", "default/ext1")}),
    ("a load balancer's address", "1.30/policy", _ingress("etp-local-all", [{"ip": "203.0.113.200"}]), {("port-differs", "default/etp-local-all")}),
    ("a load balancer that proxies", "1.30/policy", _ingress("etp-local-all", [{"ip": "203.0.113.32", "ipMode": "Proxy"}]), {("port-differs", "default/etp-local-all")}),
    ("a source range", "1.30/loadbalancer", _spec("lb-ranges", loadBalancerSourceRanges=["198.51.100.0/25"]), {("port-differs", "default/lb-ranges")}),
    ("no source range", "1.30/loadbalancer", _spec("lb-ranges", loadBalancerSourceRanges=[]), {("port-differs", "default/lb-ranges")}),
    ("an affinity", "1.30/policy", _spec("itp-local", sessionAffinity="ClientIP"), {("affinity-differs", "default/itp-local")}),
    ("no affinity", "1.30/policy", _spec("etp-local-aff", sessionAffinity="None", sessionAffinityConfig=None), {("affinity-differs", "default/etp-local-aff")}),
    ("an affinity timeout", "1.30/policy", _spec("etp-local-aff", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 901}}), {("affinity-differs", "default/etp-local-aff")}),
    ("an internal policy, Cluster", "1.30/policy", _spec("itp-local", internalTrafficPolicy="Cluster"), {("policy-differs", "default/itp-local")}),
    ("an internal policy, Local", "1.30/policy", _spec("etp-local-aff", internalTrafficPolicy="Local"), {("policy-differs", "default/etp-local-aff")}),
    ("an external policy, Cluster", "1.30/policy", _spec("etp-local-aff", externalTrafficPolicy="Cluster"), {("policy-differs", "default/etp-local-aff")}),
    ("an external policy, Local", "1.30/nodeport", _spec("np1", externalTrafficPolicy="Local"), {("policy-differs", "default/np1")}),
    ("an internal policy in 1.22", "1.22/policy", _spec("itp-local", internalTrafficPolicy="Cluster"), {("policy-differs", "default/itp-local")}),
    ("a pod elsewhere of 1.22", "1.22/policy", _endpoints("etp-local-all", lambda each: each.append(NEW_POD)), {("endpoint-missing", "default/etp-local-all")}),
    ("a zone's hint", "1.30/hints", _endpoints("hinted", lambda each: each[2]["hints"]["forZones"][0].update(name="z3")), {("endpoint-stale", "default/hinted")}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "capture", "edit", "expected"), CHANGES, ids=[each[0] for each in CHANGES])
def test_a_change_of_the_objects_is_the_only_finding(
    what: str, capture: str, edit: Callable[[Any], None], expected: set[tuple[str, str]]
) -> None:
    source = scenario(capture)
    found = judged(edited(source.objects, edit), source.ipv4, node="node-a")
    assert {(each.kind.value, each.service) for each in found} == expected, [each.message for each in found]
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("hello world", "not a Kubernetes object"),
        ("[1, 2]", "not a Kubernetes object"),
        ('{"kind": "List", "items": [', "not JSON"),
        ("a: [1\nb: 2", "neither JSON nor YAML"),
        ('{"services": []}', "not a Kubernetes object"),
        ('{"kind": "ServiceList", "metadata": {"continue": "abc"}, "items": []}', "cut"),
        ("[" * 100_000, "not JSON|nested"),
    ],
)
def test_anything_but_a_list_of_objects_is_reported(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_objects(text, "objects.json")


def test_a_list_without_services_or_endpoints_is_reported() -> None:
    capture = scenario("1.30/basic")
    for kind, said in (("Service", "no Services"), ("EndpointSlice", "neither EndpointSlices nor Endpoints")):
        cut = {**capture.objects, "items": [item for item in capture.objects["items"] if item["kind"] != kind]}
        with pytest.raises(UsageError, match=said):
            judged(cut, capture.ipv4)


def test_an_unknown_node_is_answered_with_the_nearest_name() -> None:
    capture = scenario("1.30/basic")
    with pytest.raises(UsageError, match="no node node-x; there is node-"):
        judged(capture.objects, capture.ipv4, node="node-x")


def test_another_nodes_dump_is_recognised() -> None:
    capture = scenario("1.30/policy")
    with pytest.raises(UsageError, match="node-a's, not node-b's"):
        judged(capture.objects, capture.ipv4, node="node-b")


def test_rules_of_the_other_family_alone() -> None:
    capture = scenario("1.30/basic")
    assert capture.ipv6 is not None
    with pytest.raises(UsageError, match="only IPv6 rules, but the Services have only IPv4 addresses"):
        judged(capture.objects, capture.ipv6)
    assert judged(capture.objects, capture.ipv4, capture.ipv6) == ()


def test_ipvs_mode_is_reported() -> None:
    text = (
        "*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n:KUBE-NODE-PORT - [0:0]\n"
        "-A PREROUTING -j KUBE-SERVICES\n-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT\nCOMMIT\n"
    )
    with pytest.raises(UsageError, match="IPVS mode"):
        judged(scenario("1.30/basic").objects, text)


def test_what_a_fragment_lacks_is_not_missing() -> None:
    capture = scenario("1.30/policy")
    fragment = "".join(line for line in capture.ipv4.splitlines(keepends=True) if "etp-local-all" in line)
    assert judged(capture.objects, fragment, node="node-a") == ()


def test_yaml_and_typed_lists_are_read_like_json() -> None:
    yaml = pytest.importorskip("yaml")
    objects = scenario("1.30/policy").objects
    as_json = read_objects(json.dumps(objects), "o")
    assert read_objects(yaml.safe_dump(objects), "o").services == as_json.services
    documents = "---\n".join(yaml.safe_dump(item) for item in objects["items"])
    assert read_objects(documents, "o").endpoints == as_json.endpoints
    typed = []
    for kind in ("Service", "EndpointSlice", "Node"):
        members = [{key: value for key, value in item.items() if key != "kind"} for item in items(objects, kind)]
        typed.append(json.dumps({"kind": f"{kind}List", "apiVersion": "v1", "items": members}))
    found = read_objects("\n".join(typed), "o")
    assert (found.services, found.endpoints, found.nodes) == (as_json.services, as_json.endpoints, as_json.nodes)


def test_live_changes_are_exactly_the_events() -> None:
    capture = scenario("1.30/live-small")
    before, events = capture.json("objects-initial.json"), capture.json("events.json")
    touched = set()
    for event in events:
        item = event["object"]
        labels = item["metadata"].get("labels") or {}
        touched.add(labels.get("kubernetes.io/service-name", item["metadata"]["name"]))
    found = judged(before, capture.ipv4, node=capture.config["node_name"])
    assert found
    assert {(each.service or "").partition("/")[2].partition(":")[0] for each in found} <= touched
    assert judged(capture.objects, capture.ipv4, node=capture.config["node_name"]) == ()


def test_a_node_without_kube_proxys_rules_is_reported() -> None:
    text = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n"
    with pytest.raises(UsageError, match="no rules of kube-proxy"):
        judged(scenario("1.30/basic").objects, text)


def test_the_same_services_in_both_backends_are_both_compared() -> None:
    nft, legacy = scenario("1.30/basic").ipv4, scenario("1.30/basic-legacy").ipv4
    objects = scenario("1.30/basic").objects
    assert judged(objects, nft + legacy) == ()
    pod = "10.244.1.2:53" if "10.244.1.2:53" in legacy else "10.244.2.2:53"
    found = judged(objects, nft + legacy.replace(pod, "10.244.9.9:53"))
    assert {each.kind.value for each in found} == {"endpoint-missing", "endpoint-stale"}


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += _places(inner, (*path, key))
    return found


def test_objects_of_any_shape_never_break_it() -> None:
    """Whatever stands in the place of whatever: read, or refused in words."""
    capture = scenario("1.30/policy")
    chosen = [
        next(items(capture.objects, "Node")),
        next(items(capture.objects, "Service", "etp-local-aff")),
        next(items(capture.objects, "Service", "etp-local-all")),
        next(items(capture.objects, "EndpointSlice", "etp-local-aff")),
    ]
    base = {"kind": "List", "items": chosen}
    for path in _places(base)[1:]:
        for strange in (None, 7, -1, True, "", "\0", [], [[]], {}, {"a": []}, "10.0.0.1", ["x"]):
            objects = json.loads(json.dumps(base))
            holder = objects
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = strange
            said = "objects.json"
            try:
                found = read_objects(json.dumps(objects), "objects.json")
                for release in (19, 22, 25, 34):
                    list(intents(found, Family.IPV4, "node-a", "z1", Release(release)))
            except UsageError as error:
                said = str(error)
            assert said.startswith("objects.json")


def test_nodes_that_differ_where_objects_do_not_decide() -> None:
    capture = scenario("1.30/basic")
    odd = capture.ipv4.replace("--probability 0.50000000000", "--probability 0.90000000000")
    assert odd != capture.ipv4
    dumps = [
        read_dump(text, source=f"{node}.txt")
        for node, text in (("node-a", capture.ipv4), ("node-b", capture.ipv4), ("node-c", odd))
    ]
    objects = edited(
        capture.objects, lambda objects: [item["metadata"].pop("labels", None) for item in items(objects, "Node")]
    )
    found = judge_all(read_objects(json.dumps(objects), "objects.json"), dumps).mismatches
    assert found
    assert {(each.kind.value, each.source) for each in found} == {("nodes-disagree", "node-c.txt")}
    assert all("node-a and node-b against node-c" in each.message for each in found)


def test_a_load_balancer_without_address_and_node_ports_still_has_its_health_check() -> None:
    capture = scenario("1.30/loadbalancer")

    def pending(objects: Any) -> None:
        for service in items(objects, "Service", "lb-local"):
            service["status"] = {"loadBalancer": {}}
            service["spec"]["allocateLoadBalancerNodePorts"] = False
            for port in service["spec"]["ports"]:
                del port["nodePort"]

    external = re.search(r"KUBE-EXT-\w+", next(line for line in capture.ipv4.splitlines() if '"default/lb-local"' in line and "-j KUBE-EXT-" in line))
    assert external is not None
    kept = [line for line in capture.ipv4.splitlines(True) if external[0] not in line and "203.0.113.11/" not in line]
    assert judged(edited(capture.objects, pending), "".join(kept)) == ()
