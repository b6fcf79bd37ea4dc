"""Nodes in nftables and IPVS mode against the cluster's objects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipt_explain.compare.objects.cluster import judge_all
from ipt_explain.compare.objects.mismatches import Mismatch
from ipt_explain.compare.objects.reading import read_objects
from ipt_explain.parsing import read_dump
from tests.cli.program import run
from tests.ipvs_corpus import IpvsNode, ipvs_nodes
from tests.kube_corpus import scenario
from tests.nft_corpus import listing


def mismatches(text: str) -> tuple[Mismatch, ...]:
    """Where a text is not as the objects of the basic scenario ask, which are alike in all modes."""
    objects = read_objects(json.dumps(scenario("1.30", "basic").objects), "objects.json")
    return judge_all(objects, [read_dump(text, source="node.txt")], None).mismatches


def test_a_healthy_node_in_nftables_mode_matches_its_objects() -> None:
    assert mismatches(listing("1.33/basic/nft-ruleset").text) == ()


def test_an_endpoint_that_nftables_lacks() -> None:
    text = listing("1.33/basic/nft-ruleset").text.replace("dnat to 10.244.1.2:53", "dnat to 10.244.1.9:53")
    found = {(each.kind.value, each.service) for each in mismatches(text)}
    assert ("endpoint-missing", "kube-system/kube-dns:dns") in found
    assert ("endpoint-stale", "kube-system/kube-dns:dns") in found


@pytest.mark.parametrize(
    "given", [each for each in ipvs_nodes() if each.id.endswith(("/basic", "/nodeport"))], ids=lambda each: each.id
)
def test_objects_name_virtual_servers(given: IpvsNode, tmp_path: Path) -> None:
    (tmp_path / "node.txt").write_text(given.text())
    (tmp_path / "objects.json").write_text(given.objects)
    told = run("explain", "-o", "json", "--objects", tmp_path / "objects.json", tmp_path / "node.txt")
    assert told.status == 0
    services = json.loads(told.out)["services"]
    named = {(each["namespace"], each["name"], each["port_name"], each["protocol"]) for each in services}
    assert len(named) == len(services)
    asked = {server["service"] for family in given.truth["families"].values() for server in family["virtual_servers"]}
    assert {f"{namespace}/{name}" for namespace, name, *_ in named} == asked
