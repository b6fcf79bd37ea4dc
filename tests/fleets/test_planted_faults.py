"""Every planted fault is found, on its nodes, and nothing else."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ipt_explain.cli.main import run
from ipt_explain.compare.dumps import node_view
from ipt_explain.compare.fleet.comparison import compare_fleet
from ipt_explain.compare.fleet.folding import Fleet
from ipt_explain.compare.fleet.records.digest import digest_of
from ipt_explain.parsing import read_dump
from tests.fleets.planting import FAULTS, Fault, Files, healthy, write


def _document(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> Any:
    assert run(["compare", "--nodes", "-o", "json", *options, str(folder)]) in (0, 1)
    return json.loads(capsys.readouterr().out)


def _written(folder: Path, nodes: dict[str, Files]) -> Path:
    for name, files in nodes.items():
        for suffix, text in files.items():
            (folder / f"{name}{suffix}").write_text(text)
    return folder


@functools.cache
def _digest(number: int, version: str) -> str:
    """What stands for the dumps of a healthy node; made once for all tests that need it."""
    dumps = [read_dump(text, source=f"node-{number}{suffix}") for suffix, text in healthy(number, version).items()]
    return digest_of(node_view(f"node-{number}", dumps)).to_json()


def _fleet(folder: Path, versions: Sequence[str], planted: Mapping[int, Fault]) -> Path:
    """A folder of nodes: of faulty ones the dumps, of healthy ones the digests."""
    for number, version in enumerate(versions):
        if number not in planted:
            (folder / f"node-{number}.txt").write_text(_digest(number, version))
    faulty = {f"node-{number}": fault.plant(healthy(number, versions[number])) for number, fault in planted.items()}
    return _written(folder, faulty)


def _told(document: Any) -> dict[str, list[dict[str, Any]]]:
    """The differences of each node that is on the side of the fewer."""
    found: dict[str, list[dict[str, Any]]] = {}
    for difference in document["differences"]:
        for node in document["node_sets"][str(difference["nodes"]["after"])]:
            found.setdefault(node, []).append(difference)
    return found


def _check(node: str, fault: Fault, told: list[dict[str, Any]]) -> None:
    assert {each["kind"] for each in told} == fault.kinds, (node, fault.name, told)
    if fault.service is not None:
        assert {each["service"] for each in told} == {fault.service}, (node, fault.name)


def test_a_fleet_with_every_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planted = write(tmp_path, 2 * len(FAULTS))
    document = _document(tmp_path, capsys)
    told = _told(document)
    left_out = {each["node"] for each in document["not_compared"]}
    assert left_out == {node for node, fault in planted.items() if fault.not_compared}
    assert set(told) - left_out == {node for node, fault in planted.items() if fault.kinds}
    for node, fault in planted.items():
        if fault.kinds:
            _check(node, fault, told[node])
    assert document["nodes"] == 2 * len(FAULTS) - len(left_out)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_alone_on_two_nodes_of_six(
    fault: Fault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = _document(_fleet(tmp_path, ["1.30"] * 6, {2: fault, 4: fault}), capsys)
    faulty = {"node-2", "node-4"}
    if fault.not_compared:
        assert {each["node"] for each in document["not_compared"]} == faulty
        assert document["differences"] == []
        return
    assert document["not_compared"] == []
    told = _told(document)
    assert set(told) == faulty
    for node in faulty:
        _check(node, fault, told[node])


def test_connections_that_a_rule_loses_are_one_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = next(each for each in FAULTS if each.name == "missing-hook")
    told = _told(_document(_fleet(tmp_path, ["1.30"] * 6, {3: fault}), capsys))["node-3"]
    assert [each["kind"] for each in told] == ["fate", "hook"]
    assert "connections to 20 service ports go on untranslated by nat PREROUTING" in told[0]["message"]
    assert len(told[0]["after"]["service_ports"]) == 20


def test_healthy_nodes_agree_though_their_networks_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = _document(_written(tmp_path, {f"node-{number}": healthy(number) for number in range(8)}), capsys)
    assert document["equal"] is True
    assert document["differences"] == []


@pytest.mark.parametrize(("old", "new"), [("1.27", "1.30"), ("1.24", "1.30"), ("1.22", "1.30")])
def test_an_upgrade_under_way_is_no_fault(
    old: str, new: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = {f"node-{number}": healthy(number, old if number % 3 == 0 else new) for number in range(9)}
    document = _document(_written(tmp_path, nodes), capsys)
    assert [each["message"] for each in document["differences"]] == []


def test_a_fault_during_an_upgrade_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fault = next(each for each in FAULTS if each.name == "missing-hook")
    versions = ["1.24" if number % 3 == 0 else "1.30" for number in range(9)]
    told = _told(_document(_fleet(tmp_path, versions, {3: fault}), capsys))
    assert set(told) == {"node-3"}
    _check("node-3", fault, told["node-3"])


ZONES = {
    "a": ("10.244.3.3", "10.244.3.4", "10.244.3.5"),
    "b": ("10.244.5.3", "10.244.5.4", "10.244.5.5"),
    "c": ("10.244.7.3", "10.244.7.4", "10.244.7.5"),
}


def _in_zone(files: Files, zone: str) -> Files:
    text = files[".v4.txt"]
    for original, own in zip(ZONES["a"], ZONES[zone]):
        text = text.replace(f"{original}:8080", f"{own}:8080").replace(f"{original}/32", f"{own}/32")
        text = text.replace(f"{original}:8443", f"{own}:8443")
    return {**files, ".v4.txt": text}


def test_zones_are_no_fault_and_hide_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nodes = {f"node-{number}": _in_zone(healthy(number), "abc"[number % 3]) for number in range(12)}
    document = _document(_written(tmp_path, nodes), capsys)
    assert document["differences"] == []
    assert "in each of 3 sets of nodes" in " ".join(document["notes"])
    files = nodes["node-7"]
    files[".v4.txt"] = files[".v4.txt"].replace("10.244.5.4:8080", "10.244.5.99:8080")
    told = _told(_document(_written(tmp_path, nodes), capsys))
    assert {node: {each["service"] for each in differences} for node, differences in told.items()} == {
        "node-7": {"default/web:http"}
    }
    assert {each["before"] or each["after"] for each in told["node-7"]} == {"10.244.5.4:8080", "10.244.5.99:8080"}


def test_zones_that_digests_name_may_be_as_small_as_they_like() -> None:
    named, unnamed = Fleet(), Fleet()
    for number in range(4):
        zone = "ab"[number % 2]
        files = _in_zone(healthy(number), zone)
        view = node_view(f"node-{number}", [read_dump(text, source=suffix) for suffix, text in files.items()])
        named.add(digest_of(view, zone))
        unnamed.add(digest_of(view))
    assert compare_fleet(named).differences == ()
    assert {each.service for each in compare_fleet(unnamed).differences} == {"default/web:http", "default/web:https"}


def test_the_largest_set_of_nodes_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_name = {fault.name: fault for fault in FAULTS}
    planted = {1: "uneven", 2: "missing-hook", 5: "missing-hook", 7: "missing-hook", 8: "uneven"}
    faults = {number: by_name[name] for number, name in planted.items()}
    assert run(["compare", "--nodes", str(_fleet(tmp_path, ["1.30"] * 12, faults))]) == 1
    out = capsys.readouterr().out
    assert out.index("3 nodes: node-2, node-5, node-7\n") < out.index("2 nodes: node-1, node-8\n")
    assert "5 of 12 nodes differ. 18 of 38 service ports are the same on all nodes." in out
