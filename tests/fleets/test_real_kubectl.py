"""The kubectl plugin with the real kubectl, and an API server that cuts, fails and knows nothing of a pod."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipt_explain.cli.kubectl import commands
from ipt_explain.cli.main import run
from tests.fleets.api_server import Answer, ApiServer, running
from tests.fleets.planting import FAULTS, V4, V6, Files, healthy
from tests.kube_corpus import scenarios


def _minor() -> int:
    """kubectl's minor version; 0 where there is none."""
    if shutil.which("kubectl") is None:
        return 0
    said = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, check=False).stdout
    found = re.search(rb'"minor": *"(\d+)', said)
    return int(found[1]) if found else 0


pytestmark = pytest.mark.skipif(_minor() < 31, reason="no kubectl that speaks WebSocket (1.31 or later) is installed")

BY_NAME = {fault.name: fault for fault in FAULTS}
_PATIENCE = ("--timeout", "600", "--retries", "2")


class Cluster:
    """Five nodes; tests change what exec into kube-proxy's pods gives."""

    def __init__(self) -> None:
        self.files: dict[str, Files] = {f"node-{number}": healthy(number) for number in range(5)}
        self.failing: dict[str, str] = {}

    def execute(self, pod: str, words: list[str]) -> Answer:
        """What a saver prints in a pod."""
        node = pod.removeprefix("kube-proxy-")
        text = self.files[node].get(V6 if words == ["ip6tables-save"] else V4, "")
        return text.encode(), self.failing.get(node)

    def lists(self) -> dict[str, list[Any]]:
        """The cluster's objects by resource."""
        capture = next(each for each in scenarios() if each.id == "1.30/dual-stack")
        found: dict[str, list[Any]] = {"nodes": [], "services": [], "endpointslices": [], "pods": []}
        for item in capture.objects["items"]:
            resource = {"Service": "services", "EndpointSlice": "endpointslices"}.get(item["kind"])
            if resource is not None:
                # Whose endpoints are local depends on the node, and all nodes here have the same rules.
                members = [{**each, "nodeName": None} for each in item.get("endpoints") or ()]
                found[resource].append({**item, "endpoints": members} if members else item)
        for name in self.files:
            found["nodes"].append({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
            found["pods"].append(
                {
                    "apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": f"kube-proxy-{name}", "namespace": "kube-system"},
                    "spec": {"nodeName": name, "containers": [{"name": "kube-proxy"}]},
                    "status": {"phase": "Running"},
                }
            )  # fmt: skip
        return found


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A cluster that the user's kubectl leads to."""
    found = Cluster()
    with running(ApiServer(found.lists(), found.execute)) as server:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path)))
        monkeypatch.setenv("HOME", str(tmp_path))
        yield found


def _asked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    status = run(["nodes", "-o", "json", *_PATIENCE, *words], commands)
    captured = capsys.readouterr()
    assert captured.out, captured.err
    return status, json.loads(captured.out)


def test_every_node_has_a_result(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.files["node-1"] = BY_NAME["cut"].plant(cluster.files["node-1"])
    cluster.files["node-2"] = BY_NAME["missing-hook"].plant(cluster.files["node-2"])
    cluster.failing["node-3"] = "iptables-save: Permission denied (you must be root)\n"
    status, document = _asked(capsys)
    assert status == 1
    why = {each["node"]: each["why"] for each in document["not_compared"]}
    assert set(why) == {"node-1", "node-3"}
    assert "cut off" in why["node-1"]
    assert "kubectl exec failed: iptables-save: Permission denied (you must be root)" in why["node-3"]
    assert document["nodes"] == 3
    assert {each["kind"] for each in document["differences"]} == {"hook", "fate"}
    assert {tuple(document["node_sets"][str(each["nodes"]["after"])]) for each in document["differences"]} == {("node-2",)}


def test_objects_and_one_node(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.files["node-4"] = BY_NAME["stale-endpoint"].plant(cluster.files["node-4"])
    _, document = _asked(capsys, "--objects")
    assert ("IPT802", ["node-4"]) in [(each["rule"], each["nodes"]) for each in document["findings"]]
    assert run(["node", "node-0", "trace", "--from", "10.244.1.9", "--to", "10.96.0.10:53/udp"], commands) == 0
    assert "10.96.0.10" in capsys.readouterr().out
