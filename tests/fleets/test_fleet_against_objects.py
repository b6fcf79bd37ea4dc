"""Many nodes against the cluster's objects: one finding a cause, with the nodes that have it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ipt_explain.cli.main import run
from tests.fleets.planting import FAULTS, healthy
from tests.kube_corpus import scenarios

CAPTURE = next(capture for capture in scenarios() if capture.id == "1.30/dual-stack")
BY_NAME = {fault.name: fault for fault in FAULTS}


def _ask(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    status = run(["compare", "--nodes", "-o", "json", *map(str, arguments), str(folder)])
    return status, json.loads(capsys.readouterr().out)


@pytest.fixture
def fleet(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of six nodes, two with a stale endpoint, one without a hook, and the objects."""
    folder = tmp_path / "nodes"
    folder.mkdir()
    node_name = CAPTURE.config["node_name"]
    for number in range(6):
        files = healthy(number)
        if number in (2, 4):
            files = BY_NAME["stale-endpoint"].plant(files)
        if number == 5:
            files = BY_NAME["missing-hook"].plant(files)
        for suffix, text in files.items():
            # All of them are dumps of the one node that the objects know.
            (folder / f"{node_name}-{number}{suffix}").write_text(text)
    objects = tmp_path / "objects.json"
    objects.write_text(json.dumps(CAPTURE.objects))
    return folder, objects


def test_one_finding_per_cause(fleet: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    folder, objects = fleet
    status, document = _ask(folder, capsys, "--objects", objects)
    assert status == 1
    node = CAPTURE.config["node_name"]
    found = {(each["rule"], each["service"]): each["nodes"] for each in document["findings"]}
    assert found == {
        ("IPT801", "default/web:http"): [f"{node}-2", f"{node}-4"],
        ("IPT802", "default/web:http"): [f"{node}-2", f"{node}-4"],
        ("IPT808", None): [f"{node}-5"],
    }
    stale = next(each for each in document["findings"] if each["rule"] == "IPT802")
    assert "10.244.3.99:8080" in stale["message"]
    assert f"(on 2 nodes: {node}-2, {node}-4)" in stale["message"]
    assert stale["line"] > 0


def test_digests_are_judged_too(fleet: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    folder, objects = fleet
    digests = folder.parent / "digests"
    digests.mkdir()
    for number in range(6):
        name = f"{CAPTURE.config['node_name']}-{number}"
        files = [str(folder / f"{name}{suffix}") for suffix in (".v4.txt", ".v6.txt")]
        assert run(["compare", "--digest", *files]) == 0
        (digests / f"{name}.digest.json").write_text(capsys.readouterr().out)
    _, of_digests = _ask(digests, capsys, "--objects", objects)
    _, of_dumps = _ask(folder, capsys, "--objects", objects)
    keys = ("rule", "service", "nodes", "message")
    assert [[each[key] for key in keys] for each in of_digests["findings"]] == [
        [each[key] for key in keys] for each in of_dumps["findings"]
    ]


def test_nodes_that_cannot_be_judged_are_named(fleet: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    folder, objects = fleet
    (folder / "node-x.v4.txt").write_text("")
    status, document = _ask(folder, capsys, "--objects", objects, "--select", "IPT805")
    assert [each["node"] for each in document["not_compared"]] == ["node-x"]
    assert status == 1
    assert run(["compare", "--nodes", "--objects", str(objects), str(folder)]) == 1
    assert "node-x is not compared" in capsys.readouterr().err


def test_metrics_name_only_nodes_that_differ(fleet: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = fleet
    (folder / "node-x.v4.txt").write_text("")
    assert run(["compare", "--nodes", "-o", "openmetrics", str(folder)]) == 1
    out = capsys.readouterr().out
    assert 'ipt_explain_fleet_nodes{state="differing"} 3' in out
    assert 'ipt_explain_fleet_differences{kind="hook"} 1' in out
    assert 'ipt_explain_fleet_differences{kind="policy"} 0' in out
    assert 'ipt_explain_fleet_node_not_compared{node="node-x"} 1' in out
    assert out.endswith("# EOF\n")


def test_a_finding_on_one_node_hides_none_on_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "nodes"
    folder.mkdir()
    names = {2: "stale-endpoint", 3: "uneven", 4: "no-hairpin", 5: "foreign-dnat"}
    for number in range(7):
        files = healthy(number)
        if number in names:
            files = BY_NAME[names[number]].plant(files)
        for suffix, text in files.items():
            (folder / f"worker-{number}{suffix}").write_text(text)
    objects = tmp_path / "objects.json"
    objects.write_text(json.dumps(CAPTURE.objects))
    _, document = _ask(folder, capsys, "--objects", objects)
    found = {(each["rule"], each["service"], *each["nodes"]) for each in document["findings"]}
    assert found == {
        ("IPT801", "default/web:http", "worker-2"),
        ("IPT802", "default/web:http", "worker-2"),
        ("IPT808", "default/web:http", "worker-3"),
        ("IPT808", "default/web:http", "worker-4"),
        ("IPT808", None, "worker-5"),
        ("IPT808", "kube-system/kube-dns:dns", "worker-5"),
    }


def _printed(folder: Path, objects: Path, output: str, capsys: pytest.CaptureFixture[str]) -> str:
    run(["compare", "--nodes", "--objects", str(objects), "--width", "200", "-o", output, str(folder)])
    return capsys.readouterr().out


def test_every_format_counts_a_finding_for_each_node_that_has_it(
    fleet: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, objects = fleet
    (folder / "cut.txt").write_text("# Generated by iptables-save\n*nat\n")
    node = CAPTURE.config["node_name"]
    by_node = f"{node}-2 2 errors · {node}-4 2 errors · {node}-5 2 warnings · 3 nodes clean"
    *_, nodes, total = _printed(folder, objects, "text", capsys).splitlines()
    assert (nodes, total) == (by_node, "2 errors, 2 warnings, 0 notes on 6 nodes")
    metrics = _printed(folder, objects, "openmetrics", capsys)
    junit = _printed(folder, objects, "junit", capsys)
    for number, errors in enumerate((0, 0, 2, 0, 2, 0)):
        assert f'ipt_explain_findings{{source="{node}-{number}",severity="error"}} {errors}\n' in metrics
        stale = f'ipt_explain_rule_findings{{source="{node}-{number}",rule="IPT802",name="endpoint-stale",severity="error"}} 1\n'
        assert (stale in metrics) is bool(errors)
        assert re.search(rf'<testsuite name="{node}-{number}" tests="\d+" failures="{errors}"', junit) is not None


def test_healthy_nodes_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text("".join(healthy(1).values()))
    objects = tmp_path / "objects.json"
    objects.write_text(json.dumps(CAPTURE.objects))
    status = run(["compare", "--nodes", "--objects", str(objects), str(tmp_path / "a.txt"), str(tmp_path / "b.txt")])
    assert (status, capsys.readouterr().out) == (0, "2 nodes clean\nNothing wrong on 2 nodes\n")
