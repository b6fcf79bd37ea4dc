"""Nodes in different modes of kube-proxy compared: by what becomes of traffic, not by how it is written."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ipt_explain.compare.dumps import compare_nodes, node_view
from ipt_explain.compare.fleet.comparison import compare_fleet
from ipt_explain.compare.fleet.folding import Fleet
from ipt_explain.compare.fleet.records.digest import digest_of
from ipt_explain.parsing import read_dump
from tests.ipvs_corpus import LISTED, ipvs_nodes
from tests.kube_corpus import scenario
from tests.nft_corpus import listing

SCENARIOS = ("affinity", "nodeport", "loadbalancer", "policy")


def differences(before: str, after: str) -> list[str]:
    """How two texts differ, in words."""
    found = compare_nodes(*(node_view(name, [read_dump(text)]) for name, text in (("a", before), ("b", after))))
    return [f"{each.service or ''}: {each.message}" for each in found.differences]


def nft(name: str, version: str = "1.33") -> str:
    return listing(f"{version}/{name}/nft-ruleset").text


def iptables(name: str) -> str:
    given = scenario("1.30", name)
    return given.ipv4 + (given.ipv6 or "")


def ipvs(name: str, tools: tuple[str, ...] | None = None) -> str:
    given = next(each for each in ipvs_nodes() if each.id == f"1.33/{name}")
    return given.text() if tools is None else given.text(tools)


@pytest.mark.parametrize("name", SCENARIOS)
def test_iptables_and_nftables_of_one_cluster_do_the_same(name: str) -> None:
    assert differences(iptables(name), nft(name)) == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_releases_of_nftables_mode_do_the_same(name: str) -> None:
    assert differences(nft(name), nft(name, "1.36")) == []


def test_text_and_json_do_the_same() -> None:
    given = listing("1.33/policy/nft-ruleset")
    assert given.json is not None
    assert differences(given.text, given.json) == []


@pytest.mark.parametrize("name", ["basic", "ports"])
def test_ipvs_is_paired_by_address(name: str) -> None:
    assert differences(nft(name), ipvs(name)) == []


def test_differences_of_ipvs_are_reported() -> None:
    told = differences(iptables("nodeport"), ipvs("nodeport"))
    assert told == ["default/np-local-none: NodePort 30024: connections were dropped, now balanced"]


def test_saved_and_listed_servers_are_the_same() -> None:
    assert differences(ipvs("policy"), ipvs("policy", LISTED)) == []


def test_an_endpoint_that_one_lacks() -> None:
    told = differences(iptables("basic"), nft("basic").replace("10.244.1.2", "10.244.1.99"))
    assert "kube-system/kube-dns:dns: endpoint 10.244.1.2:53 removed" in told


@pytest.mark.parametrize(
    ("ranges", "told"),
    [
        ("{ 198.51.100.0-198.51.100.127, 198.51.100.128/25 }", None),
        ("198.51.100.0-198.51.100.127", "198.51.100.0/25"),
        ("{ 198.51.100.0/25, 198.51.100.200 }", "198.51.100.0/25, 198.51.100.200/32"),
    ],
)
def test_source_ranges_are_compared_as_networks(ranges: str, told: str | None) -> None:
    text = nft("loadbalancer", "1.36")
    firewall = "\tchain firewall-3THUDHIQ-default/lb-local-ranges/tcp/ {\n\t\tip saddr != %s drop\n"
    assert text.count(firewall % "198.51.100.0/24") == 1
    found = differences(text, text.replace(firewall % "198.51.100.0/24", firewall % ranges))
    port = "default/lb-local-ranges: LoadBalancer 203.0.113.13:80"
    assert found == ([] if told is None else [f"{port}: source ranges 198.51.100.0/24 -> {told}"])


def test_a_chain_that_runs_at_another_time() -> None:
    text = nft("basic", "1.36")
    late = text.replace("hook prerouting priority dstnat - 10", "hook prerouting priority dstnat - 20", 1)
    assert differences(text, late) == [
        ": ip kube-proxy filter-prerouting-pre-dnat: hook removed: type filter hook prerouting priority -110",
        ": ip kube-proxy filter-prerouting-pre-dnat: hook added: type filter hook prerouting priority -120",
    ]
    beside = "table ip fw {\n\tchain f {\n\t\ttype filter hook forward priority 0; policy accept;\n\t\tcounter\n\t}\n}\n"
    assert differences(text + beside, text + beside.replace("priority 0", "priority 5")) == [
        ": table ip fw, ip fw f: 1 rule added, 1 rule removed"
    ]


def test_a_rule_of_another_table_and_what_it_loses() -> None:
    beside = "table inet fw {\n\tchain f {\n\t\ttype filter hook forward priority 0; policy accept;\n\t\tdrop\n\t}\n}\n"
    told = differences(nft("basic"), nft("basic") + beside)
    assert any("inet fw f: 2 rules added" in each for each in told)
    assert any("are dropped by inet fw f: drop" in each for each in told)


def test_a_missing_hook() -> None:
    told = differences(nft("basic"), nft("basic").replace("\t\tjump masquerading\n", "", 1))
    assert ": ip kube-proxy nat-postrouting: hook removed: jump masquerading" in told


def fleet(texts: Sequence[str]) -> Fleet:
    found = Fleet()
    for number, text in enumerate(texts):
        found.add(digest_of(node_view(f"n{number}", [read_dump(text)])))
    return found


def test_a_fleet_of_two_modes_and_releases_agrees() -> None:
    texts = [iptables("policy"), nft("policy"), nft("policy", "1.36"), nft("policy", "1.30")]
    comparison = compare_fleet(fleet(texts))
    assert (comparison.differences, comparison.not_compared) == ((), ())


def test_a_node_of_another_mode_that_lacks_an_endpoint() -> None:
    odd = nft("basic").replace("10.244.1.2", "10.244.1.99")
    comparison = compare_fleet(fleet([iptables("basic"), iptables("basic"), nft("basic"), odd]))
    assert {each.nodes[1] for each in comparison.differences if each.nodes is not None} == {("n3",)}


def test_ipvs_nodes_are_compared_with_each_other() -> None:
    odd = ipvs("basic").replace("-r 10.244.1.2:", "-r 10.244.1.99:")
    comparison = compare_fleet(fleet([ipvs("basic"), odd, ipvs("basic")]))
    assert {each.service for each in comparison.differences} == {
        "tcp 10.96.0.10:53", "tcp 10.96.0.10:9153", "udp 10.96.0.10:53",
    }  # fmt: skip


def test_ipvs_nodes_among_others_are_named() -> None:
    comparison = compare_fleet(fleet([iptables("basic"), nft("basic"), ipvs("basic")]))
    assert comparison.differences == ()
    assert {each.node for each in comparison.not_compared} == {"n2"}
    assert all("shows no Service names" in each.why for each in comparison.not_compared if each.family == "ipv4")


def test_another_scheduler_is_a_difference() -> None:
    before = ipvs("basic")
    after = before.replace("-A -t 10.96.0.10:9153 -s rr", "-A -t 10.96.0.10:9153 -s sh")
    said = "shares of all endpoints: fixed -> as IPVS's scheduler sh decides"
    assert differences(before, after) == [f"tcp 10.96.0.10:9153: {said}"]
    assert differences(after, after) == []
    assert differences(before, before.replace("-s rr", "-s wrr")) == []
    views = [node_view(name, [read_dump(text)]) for name, text in (("a", before), ("b", after))]
    fleet = Fleet()
    for view in views:
        fleet.add(digest_of(view))
    assert [each.message for each in compare_fleet(fleet).differences] == [f"a against b: {said}"]
