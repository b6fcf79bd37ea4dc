"""Nodes in IPVS mode against the cluster's API objects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ipt_explain.audit.cluster import cluster_report
from ipt_explain.compare.objects.cluster import judge_all
from ipt_explain.compare.objects.reading import read_objects
from ipt_explain.parsing import read_dump
from tests.ipvs_corpus import ipvs_nodes
from tests.nft_corpus import listing

TOOLS = ("iptables-save", "ip6tables-save", "ipset-save", "ipvsadm-save", "ip-addr-kube-ipvs0")
NODES = {each.id.partition("/")[2]: each for each in ipvs_nodes() if "objects" in each.files}


def told(scenario: str, *changes: tuple[str, str], objects: Any = None, order: int = 1) -> list[tuple[str, str]]:
    """The mismatches of a captured node with some of its text replaced: kind and words. Its outputs are joined, in
    the usual order or backwards."""
    files = NODES[scenario].files
    text = "\n".join(files[name] for name in TOOLS[::order] if name in files)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    given = files["objects"] if objects is None else json.dumps(objects)
    found = judge_all(read_objects(given, "objects.json"), [read_dump(text, source="node.txt")]).mismatches
    return [(each.kind.value, each.message) for each in found]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("scenario", sorted(NODES.keys() - {"empty"}))
def test_captured_nodes_match_their_cluster(scenario: str, order: int) -> None:
    assert told(scenario, order=order) == []


def test_an_endpoint_that_is_missing() -> None:
    lines = [line for line in NODES["basic"].files["ipvsadm-save"].splitlines() if "10.96.0.10:53 -r" in line]
    ((kind, words),) = told("basic", (f"{lines[0]}\n", ""))
    assert kind == "endpoint-missing"
    assert words.startswith("the virtual server of 10.96.0.10:53 lacks 10.244.")


def test_an_endpoint_that_the_cluster_no_longer_has() -> None:
    line = next(each for each in NODES["basic"].files["ipvsadm-save"].splitlines() if "10.96.0.10:53 -r" in each)
    more = line.replace(line.split(" -r ")[1].split(":")[0], "10.244.9.9")
    assert told("basic", (line, f"{line}\n{more}")) == [
        ("endpoint-stale", "the virtual server of 10.96.0.10:53 still has 10.244.9.9:53")
    ]


def test_a_server_of_no_service() -> None:
    first = NODES["basic"].files["ipvsadm-save"].splitlines()[0]
    more = "-A -t 10.96.9.9:80 -s rr\n-a -t 10.96.9.9:80 -r 10.244.1.9:80 -m -w 1\n"
    ((kind, words),) = told("basic", (first, f"{more}{first}"))
    assert (kind, words) == (
        "service-stale",
        "no Service of the cluster has 10.96.9.9:80, but there is a virtual server for it",
    )


def test_affinity_that_differs() -> None:
    persistent = next(each for each in NODES["affinity"].files["ipvsadm-save"].splitlines() if " -p " in each)
    kinds = {kind for kind, _ in told("affinity", (persistent, persistent.split(" -p ")[0]))}
    assert kinds == {"affinity-differs"}


def test_rules_of_nftables_are_counted() -> None:
    given = listing("1.33/basic/nft-ruleset")
    dump = read_dump(given.text, source="nft.txt")
    report = cluster_report((), [dump])
    assert report.rule_count == 67
