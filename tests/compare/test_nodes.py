"""Many nodes: who disagrees with whom about what, and what is legitimately different."""

from __future__ import annotations

import json
import re

import pytest

from ipt_explain.compare.differences import Difference
from ipt_explain.compare.fleet.comparison import FleetComparison, compare_fleet
from ipt_explain.compare.fleet.folding import Fleet, natural
from ipt_explain.compare.fleet.records.digest import Digest, digest_of, read_digest
from ipt_explain.compare.fleet.records.keys import RecordKey
from ipt_explain.compare.fleet.records.service_records import service_of
from ipt_explain.errors import UsageError
from tests.bench.generator import dump
from tests.compare.helpers import changed, scenario, shuffled, view, without
from tests.compare.objects_helpers import save_texts
from tests.kube_corpus import Scenario, scenarios


def fleet_of(**nodes: str) -> Fleet:
    """A fleet of nodes, each with its dump."""
    fleet = Fleet()
    for name, text in nodes.items():
        fleet.add(digest_of(view(text, name=name.replace("_", "-"))))
    return fleet


def compared(**nodes: str) -> FleetComparison:
    """The nodes, each with its dump, compared."""
    return compare_fleet(fleet_of(**nodes))


def disputes(**nodes: str) -> list[Difference]:
    """What the nodes disagree on."""
    return list(compared(**nodes).differences)


@pytest.mark.parametrize("release", ["1.14", "1.22", "1.30"])
def test_a_node_agrees_with_itself_at_another_time(release: str) -> None:
    text = scenario(f"{release}/policy").ipv4
    assert disputes(one=text, two=shuffled(text, seed=5)) == []


@pytest.mark.parametrize("capture", scenarios()[::2], ids=lambda capture: capture.id)
def test_a_digest_reads_back_as_it_was(capture: Scenario) -> None:
    texts = save_texts(capture)
    digest = digest_of(view(*texts))
    text = digest.to_json()
    assert read_digest(text, "node.digest.json") == digest
    assert digest_of(view(*(shuffled(each, 6) for each in texts))).to_json() == text
    for key, record in digest.services.items():
        assert service_of(RecordKey.of(key), record, digest.fabrics).label


def test_a_digest_is_at_most_a_tenth_of_a_large_dump() -> None:
    for endpoints in (1, 3, 10):
        text = dump(400, endpoints)
        assert len(digest_of(view(text)).to_json()) * 10 <= len(text)
    assert len(digest_of(view(scenario("1.30/basic").ipv4)).to_json()) < 4096


def test_one_rule_that_drops_on_one_node_names_all_nodes_of_both_sides() -> None:
    healthy = scenario("1.30/basic").ipv4
    dropping = changed(healthy, r"^(?=-A FORWARD )", "-A FORWARD -m conntrack --ctstate NEW -j DROP\n")
    (found,) = [each for each in disputes(one=healthy, two=healthy, three=dropping) if each.kind.value == "fate"]
    assert (found.service, found.nodes) == (None, (("one", "two"), ("three",)))


def test_one_node_that_still_sees_an_endpoint() -> None:
    healthy = scenario("1.30/policy").ipv4
    stale = healthy.replace("10.244.2.13:8080", "10.244.2.99:8080").replace("10.244.2.13/32", "10.244.2.99/32")
    nodes = {f"node_{number}": healthy for number in range(1, 48)}
    found = disputes(**nodes, node_99=stale)
    assert [(each.kind.value, each.service, each.before, each.after) for each in found] == [
        ("endpoint-removed", "default/etp-local-aff", "10.244.2.13:8080", None),
        ("endpoint-added", "default/etp-local-aff", None, "10.244.2.99:8080"),
    ]
    assert found[1].message == "47 nodes see 5 endpoints, node-99 still sees 10.244.2.99:8080"
    assert found[1].nodes is not None
    assert found[1].nodes[1] == ("node-99",)
    assert found[1].nodes[0][:3] == ("node-1", "node-2", "node-3")


def test_the_minority_differs_in_any_order_of_nodes() -> None:
    healthy = scenario("1.30/policy").ipv4
    odd = changed(healthy, r"^(-A KUBE-SVC-7AZ64RN3BZ2QJCPH .*--probability )0\.5", r"\g<1>0.7")
    found = disputes(odd=odd, a=healthy, b=healthy, c=healthy)
    assert [each.nodes for each in found] == [(("a", "b", "c"), ("odd",))]


def test_a_hook_that_one_node_lacks() -> None:
    healthy = scenario("1.30/policy").ipv4
    found = disputes(a=healthy, b=healthy, c=without(healthy, r"-A PREROUTING .*-j KUBE-SERVICES"))
    assert [(each.kind.value, each.subject) for each in found] == [("fate", "nat PREROUTING"), ("hook", "nat PREROUTING")]
    assert found[1].after is None
    assert found[1].message.startswith("a and b against c: nat PREROUTING: hook removed: -A PREROUTING")


def test_a_service_that_one_node_lacks() -> None:
    healthy = scenario("1.30/policy").ipv4
    lacking = without(without(healthy, "-A KUBE-SERVICES -d 10.96.0.17/32"), "-d 10.96.0.17/32 .*KUBE-MARK-MASQ")
    found = disputes(a=healthy, b=healthy, c=lacking)
    assert [(each.kind.value, each.service) for each in found] == [("service-removed", "default/itp-local")]


def _of_another_node(text: str) -> str:
    """The dump of a node whose pods are others: local chains hold other endpoints, or none."""
    kept = []
    for line in text.splitlines(keepends=True):
        if re.match(r"-A KUBE-SVL-\S+ .*-m statistic", line):
            continue
        kept.append(line)
    return "".join(kept)


def test_local_endpoints_are_legitimately_different() -> None:
    text = scenario("1.30/policy").ipv4
    other = _of_another_node(text)
    assert other != text
    assert disputes(a=text, b=text, c=other) == []


def test_local_without_any_endpoint_is_legitimately_different() -> None:
    """Captures of one cluster's two ends: the services with endpoints here and those without differ in kind alone."""
    text = scenario("1.30/policy").ipv4
    chain = "KUBE-SVL-7AZ64RN3BZ2QJCPH"
    none_here = "".join(line for line in text.splitlines(keepends=True) if chain not in line)
    dropped = '-A KUBE-EXTERNAL-SERVICES -d 203.0.113.32/32 -p tcp -m comment --comment "default/etp-local-all has no local endpoints" -m tcp --dport 80 -j DROP\n'
    port = '-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "default/etp-local-all has no local endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30025 -j DROP\n'
    none_here = none_here.replace("-A KUBE-FORWARD", dropped + port + "-A KUBE-FORWARD", 1)
    assert disputes(a=text, b=text, c=none_here) == []


def test_the_pod_network_of_each_node_is_its_own() -> None:
    text = scenario("1.30/policy").ipv4
    assert disputes(a=text, b=text.replace("10.244.0.0/16", "10.244.7.0/24")) == []


def test_internal_policy_local_before_1_24_leaves_no_trace() -> None:
    text = scenario("1.22/policy").ipv4
    other = text.replace("10.244.1.2:8080", "10.244.2.52:8080").replace("10.244.1.2/32", "10.244.2.52/32")
    other = other.replace("10.244.1.3:8080", "10.244.2.53:8080").replace("10.244.1.3/32", "10.244.2.53/32")
    services = {each.service for each in disputes(a=text, b=other)}
    assert "default/itp-local" not in services


def test_a_node_without_ipv6_says_nothing_about_it() -> None:
    capture = scenario("1.30/dual-stack")
    assert capture.ipv6 is not None
    assert disputes(a=capture.ipv4 + capture.ipv6, b=capture.ipv4) == []


def test_groups_not_nodes_are_kept() -> None:
    healthy = digest_of(view(scenario("1.30/policy").ipv4, name="x"))
    odd = digest_of(view(scenario("1.30/policy").ipv4.replace("10.244.2.13:8080", "10.244.2.99:8080"), name="y"))
    fleet = Fleet()
    for number in range(3000):
        source = odd if number % 1000 == 999 else healthy
        fleet.add(Digest(f"node-{number}", source.families, source.services, source.chains))
    assert len(fleet.groups) == 2
    assert sum(len(group.own) for group in fleet.groups) == 1
    found = compare_fleet(fleet)
    assert {each.nodes[1] for each in found.differences if each.nodes} == {("node-999", "node-1999", "node-2999")}
    assert (found.nodes, found.of - found.services) == (3000, 1)


def test_two_nodes_of_one_name_are_refused() -> None:
    digest = digest_of(view(scenario("1.30/basic").ipv4, name="node-1"))
    fleet = Fleet()
    fleet.add(digest, "a.json")
    fleet.add(digest, "b.json")
    assert fleet.node_count == 1
    assert [each.node for each in fleet.not_compared] == ["node-1"]
    assert "a.json and b.json" in fleet.not_compared[0].why


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"schema":"ipt-explain/digest/2","node":', "damaged"),
        ('{"schema":"ipt-explain/digest/9","node":"a"}', "schema"),
        ('{"schema":"ipt-explain/digest/2","node":"a"}', "families"),
    ],
)
def test_a_damaged_digest_is_reported(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_digest(text, "node.digest.json")


def test_a_digest_with_fewer_chances_than_endpoints_is_damaged() -> None:
    uneven = scenario("1.30/basic").ipv4.replace("--probability 0.50000000000", "--probability 0.25000000000")
    text = digest_of(view(uneven, name="odd")).to_json()
    assert '"p":[0.25,0.75]' in text
    fleet = Fleet()
    for name in ("a", "b"):
        fleet.add(digest_of(view(scenario("1.30/basic").ipv4, name=name)))
    damaged = read_digest(text.replace('"p":[0.25,0.75]', '"p":[0.25]'), "odd.digest.json")
    assert damaged is not None
    fleet.add(damaged)
    with pytest.raises(UsageError, match=r"kube-dns:dns.* is damaged"):
        compare_fleet(fleet)


def test_a_dump_is_no_digest() -> None:
    assert read_digest(scenario("1.30/basic").ipv4, "x") is None
    assert read_digest(json.dumps({"kind": "List"}), "x") is None


def test_names_sort_as_people_count() -> None:
    assert sorted(["node-10", "node-9", "node-1", "a"], key=natural) == ["a", "node-1", "node-9", "node-10"]
