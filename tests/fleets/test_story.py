"""What compare --nodes tells of a faulty node: who differs, in how much, and which line to look at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipt_explain.cli.main import run
from tests.compare.helpers import scenario
from tests.fleets.planting import FAULTS, V4, Files, healthy
from tests.ipvs_corpus import ipvs_nodes

BY_NAME = {fault.name: fault for fault in FAULTS}


def told(folder: Path, capsys: pytest.CaptureFixture[str], nodes: dict[str, Files], *options: str) -> str:
    """What compare prints of these nodes."""
    for name, files in nodes.items():
        for suffix, text in files.items():
            (folder / f"{name}{suffix}").write_text(text)
    assert run(["compare", "--nodes", "--jobs", "1", "--width", "200", *options, str(folder)]) == 1
    return capsys.readouterr().out


def fleet_with(fault: str, healthy_nodes: int = 3) -> dict[str, Files]:
    """Equal nodes a, b, c, and one with a fault."""
    nodes = {name: healthy(3) for name in "abcdef"[:healthy_nodes]}
    return {**nodes, "odd": BY_NAME[fault].plant(healthy(3))}


def test_the_odd_node_is_counted_first_and_another_component_s_rule_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = told(tmp_path, capsys, fleet_with("foreign-dnat"))
    assert out.startswith("1 of 4 nodes differs. 37 of 38 service ports are the same on all nodes.\n\nodd\n")
    rule = "-A PREROUTING -d 10.96.0.10/32 -p udp -m udp --dport 53 -j DNAT --to-destination 169.254.20.10:53"
    assert f"    3 nodes against odd: unknown owner, nat PREROUTING: 1 rule added\n      + {rule}\n" in out


def test_a_hook_that_moved_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = told(tmp_path, capsys, fleet_with("hook-moved"))
    assert out.startswith("1 of 4 nodes differs. All 38 service ports are the same on all nodes.\n")
    assert "hooks have moved among other rules: -A FORWARD -j KUBE-FORWARD (after 1 of them, not 0)" in out


def test_a_node_without_kube_proxy_agrees_on_no_service_port(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(tmp_path, capsys, fleet_with("no-kube-proxy")).startswith("1 of 4 nodes differs. 0 of 38 service ports ")


@pytest.mark.parametrize("fault", ["foreign-untracked", "forward-policy", "stale-service"])
def test_of_two_nodes_the_second_is_compared_with_the_first(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(told(tmp_path, capsys, fleet_with(fault, 1), "-o", "json"))
    assert document["node_sets"] == {"1": ["a"], "2": ["odd"]}
    assert all(each["nodes"] == {"before": 1, "after": 2} for each in document["differences"])


def test_parts_of_nodes_are_compared_though_only_one_is_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = {**fleet_with("uneven", 1), "b": healthy(3)}
    for name in ("b", "odd"):
        del nodes[name][".v6.txt"]
    out = told(tmp_path, capsys, nodes)
    assert out.startswith("37 of 38 service ports are the same on all nodes.\n\nodd\n")


def test_ports_of_nodes_that_are_not_compared_do_not_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    basic = {V4: scenario("1.30/basic").ipv4}
    ipvs = next(node for node in ipvs_nodes() if node.id.endswith("/basic"))
    out = told(tmp_path, capsys, {"a": basic, "b": basic, "odd": {V4: ipvs.text()}})
    assert out.startswith("2 nodes agree on all 4 service ports, on hooks and policies.\n\nNot compared: 1 node\n  odd: ")
