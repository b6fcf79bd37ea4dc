"""Nodes as sosreport collects them: listings of each table, of iptables and of nftables, an archive a node."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ipt_explain.cli.main import run
from tests import listing_corpus
from tests.fleets.planting import FAULTS, V4, healthy
from tests.inputs.test_node_sources import tar_of

BY_NAME = {fault.name: fault for fault in FAULTS}
NODE = listing_corpus.node("1.30-dual-stack")


def _sosreport(host: str, number: int, files: Mapping[str, str]) -> dict[str, bytes]:
    """What `sosreport` writes of a node's tables, in a folder that is called after host and day."""
    top = f"sosreport-{host}-2026-11-{number + 10}-abcdef{number}/sos_commands/firewall_tables"
    found: dict[str, bytes] = {f"{top}/nft_-a_list_ruleset": b""}
    for tool in ("iptables", "ip6tables"):
        # One command's output follows another's in the corpus; in a sosreport each is a file without its command.
        for part in files[f"{tool}-L-nv.txt"].split(f"# {tool} -t ")[1:]:
            heading, _, text = part.partition("\n")
            table = heading.split(" ")[0]
            found[f"{top}/{tool}_-t_{table}_-nvL"] = text.encode()
            if table == "filter":
                found[f"{top}/{tool}_-vnxL"] = text.encode()
    return found


def _asked(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> Any:
    assert run(["compare", "--nodes", "-o", "json", *options, str(folder)]) in (0, 1)
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("packed", [False, True])
def test_sosreports(packed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        files = dict(NODE)
        if number == 2:
            name = "iptables-L-nv.txt"
            row = "    0     0 DROP       0    --  *      *       0.0.0.0/0            10.244.3.0/24       \n"
            head, found, rest = files[name].partition("    0     0 KUBE-FORWARD ")
            assert found
            files[name] = head + row + found + rest
        written = _sosreport(f"worker-{number}", number, files)
        if packed:
            (tmp_path / f"sosreport-worker-{number}-2026-11-{number + 10}-abcdef{number}.tar").write_bytes(tar_of(written))
            continue
        for path, content in written.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content)
    document = _asked(tmp_path, capsys)
    assert (document["nodes"], document["not_compared"]) == (4, [])
    assert {each["kind"] for each in document["differences"]} == {"foreign-rules", "fate"}
    assert {tuple(document["node_sets"][str(each["nodes"]["after"])]) for each in document["differences"]} == {("worker-2",)}


@pytest.mark.parametrize("place", ["network_logs/{node}_{tool}_save", "nodes/{node}/{tool}-save"])
def test_must_gather(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = "must-gather.local.8236482346/quay-io-openshift-release-dev-sha256-abcdef"
    files = {f"{top}/version": b"4.14.0\n", f"{top}/cluster-scoped-resources/core/nodes/ip-10-0-1-9.yaml": b"kind: Node\n"}
    log = b"2026-11-25T00:00:00Z I1125 Restoring iptables\n-A KUBE-SERVICES -j REJECT\n"
    for number in range(4):
        node = f"ip-10-0-{number}-9.compute.internal"
        pod = f"{top}/namespaces/openshift-sdn/pods/sdn-{number}/kube-proxy/kube-proxy/logs/current.log"
        files[pod] = files[f"{top}/nodes/{node}/kubelet.log"] = log
        for suffix, text in (BY_NAME["cut"].plant(healthy(number)) if number == 3 else healthy(number)).items():
            tool = "iptables" if suffix == V4 else "ip6tables"
            files[f"{top}/{place.format(node=node, tool=tool)}"] = text.encode()
    (tmp_path / "must-gather.tar.gz").write_bytes(gzip.compress(tar_of(files)))
    document = _asked(tmp_path, capsys)
    assert document["nodes"] == 3
    assert document["differences"] == []
    assert [each["node"] for each in document["not_compared"]] == ["ip-10-0-3-9.compute.internal"]


def test_files_of_two_nodes_under_one_name_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = {name: text.replace("10.244.3.4", "10.244.3.99") for name, text in NODE.items()}
    for place, number, files in (("a", 1, NODE), ("b", 2, other), ("c", 3, NODE)):
        host = "worker-9" if place != "c" else "worker-1"
        for path, content in _sosreport(host, number, files).items():
            (tmp_path / place / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place / path).write_bytes(content)
    document = _asked(tmp_path, capsys, "--node-from", r"worker-\d")
    (left_out,) = document["not_compared"]
    assert left_out["node"] == "worker-9"
    assert "both hold its table" in left_out["why"]


@pytest.mark.parametrize("name", listing_corpus.nodes())
def test_a_node_agrees_with_itself_however_it_was_listed(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = listing_corpus.node(name)
    for tool in ("iptables", "ip6tables"):
        for style in ("save", "S", "L-nv", "L-nv-numbered"):
            (tmp_path / style).mkdir(exist_ok=True)
            if f"{tool}-{style}.txt" in files:
                (tmp_path / style / f"{tool}.txt").write_text(files[f"{tool}-{style}.txt"])
    document = _asked(tmp_path, capsys)
    assert [each["message"] for each in document["differences"]] == []
    assert document["not_compared"] == []
