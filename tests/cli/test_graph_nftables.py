"""`graph` of chains of nftables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import networkx as nx
import pytest

from tests.cli.program import run_here as run
from tests.nft_corpus import listing


def graph(tmp_path: Path, *more: str, text: str | None = None) -> Any:
    """The graph of a captured ruleset as JSON."""
    return json.loads(_printed(tmp_path, "-o", "json", *more, text=text))


def _printed(tmp_path: Path, *more: str, text: str | None = None) -> str:
    path = tmp_path / "node.txt"
    path.write_text(text or listing("1.33/basic/nft-ruleset").text)
    told = run("graph", path, *more)
    assert told.status == 0, told.err
    return told.out


def _schema(name: str) -> Any:
    return json.loads(run("schema", name).out)


def test_elements_of_maps_are_edges(tmp_path: Path) -> None:
    found = graph(tmp_path)
    jsonschema.validate(found, _schema("graph"))
    edges = [each for each in found["edges"] if each["source"] == "ip kube-proxy/services"]
    assert [(each["label"], each["line"], each["goto"]) for each in edges][1] == ("10.96.0.10 . udp . 53", 34, True)
    shares = [each["share"] for each in found["edges"] if "service-FY5PMXPG" in each["source"] and each["share"]]
    assert shares == [0.5, 0.5]
    assert nx.node_link_graph(found, edges="edges").number_of_edges() == len(found["edges"])


def test_a_services_part(tmp_path: Path) -> None:
    nodes = [each["chain"] for each in graph(tmp_path, "--service", "kubernetes")["nodes"]]
    assert [name.split("-")[0] for name in nodes] == ["nat", "nat", "services", "mark", "endpoint", "service"]


def test_what_leads_to_a_chain(tmp_path: Path) -> None:
    assert [
        each["chain"] for each in graph(tmp_path, "--chain", "masquerading", "--table", "ip kube-proxy")["nodes"]
    ] == [
        "nat-postrouting",
        "masquerading",
    ]


def test_faults_and_missing_chains(tmp_path: Path) -> None:
    text = listing("1.33/basic/nft-ruleset").text
    start = text.index("\tchain service-FY5PMXPG")
    text = text[:start] + text[text.index("\tchain", start + 1) :]
    nodes = {each["chain"]: each for each in graph(tmp_path, text=text)["nodes"]}
    assert nodes["service-FY5PMXPG-kube-system/kube-dns/udp/dns"]["kind"] == "missing"
    assert any(each["faults"] for each in nodes.values())


def test_json_in_has_no_lines(tmp_path: Path) -> None:
    found = graph(tmp_path, text=listing("1.33/basic/nft-ruleset").json)
    jsonschema.validate(found, _schema("graph"))
    assert {each["line"] for each in [*found["nodes"], *found["edges"]]} == {None}
    assert nx.node_link_graph(found, edges="edges").number_of_edges() == len(found["edges"])


@pytest.mark.parametrize("output", ["dot", "mermaid", "graphml"])
def test_other_formats(tmp_path: Path, output: str) -> None:
    assert "dnat to 10.244.1.2:53" in _printed(tmp_path, "-o", output)


def test_show_keeps_its_schema(tmp_path: Path) -> None:
    path = tmp_path / "node.txt"
    for text in (listing("1.33/basic/nft-ruleset").text, listing("1.36/affinity/nft-ruleset").json or ""):
        path.write_text(text)
        for names in ((), ("*",)):
            jsonschema.validate(json.loads(run("show", *names, path, "-o", "json").out), _schema("show"))
