"""The kubectl plugin against a kubectl that hangs, cuts, fails and tells of nodes without kube-proxy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ipt_explain.cli.kubectl import commands
from ipt_explain.cli.main import run
from tests.cli.program import ROOT
from tests.fleets.planting import FAULTS, V4, V6, healthy
from tests.kube_corpus import scenarios

CAPTURE = next(capture for capture in scenarios() if capture.id == "1.30/dual-stack")
BY_NAME = {fault.name: fault for fault in FAULTS}

_KUBECTL = '''#!{python}
import json, os, pathlib, signal, sys, time
folder = pathlib.Path({folder!r})
words = sys.argv[1:]
with open(folder / "calls", "a") as calls:
    calls.write(json.dumps(words) + "\\n")
if words[:1] == ["--context"]:
    words = words[2:]
if words[:2] == ["get", "nodes"]:
    print((folder / "nodes.json").read_text())
elif words[:2] == ["get", "pods"]:
    print((folder / "pods.json").read_text())
elif words[:1] == ["get"]:
    print((folder / "objects.json").read_text())
elif words[0] in ("exec", "debug"):
    node = words[3].removeprefix("kube-proxy-") if words[0] == "exec" else words[1].removeprefix("node/")
    behaviour = folder / (node + ".does")
    if behaviour.exists():
        what = behaviour.read_text()
        if what == "hang":
            time.sleep(60)
        if what == "interrupt":
            parent = os.getppid()
            os.kill(parent, signal.SIGINT)
            while os.getppid() == parent:
                time.sleep(0.05)
        if what == "no IPv6" and words[-1] == "ip6tables-save":
            sys.exit("ip6tables-save v1.8.9 (legacy): Cannot initialize: Address family not supported by protocol")
        if what == "fail":
            sys.exit("error: Internal error occurred: error executing command in container")
        if what == "once":
            behaviour.unlink()
            sys.exit("error: unable to upgrade connection")
    sys.stdout.write((folder / (node + (".v6" if words[-1] == "ip6tables-save" else ".v4") + ".txt")).read_text())
'''


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a kubectl for a cluster of six healthy nodes; tests change files in it."""
    folder = tmp_path / "cluster"
    (folder / "bin").mkdir(parents=True)
    script = folder / "bin" / "kubectl"
    script.write_text(_KUBECTL.format(python=sys.executable, folder=str(folder)))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder / "bin"))
    names = [f"node-{number}" for number in range(6)]
    pods = [
        {"metadata": {"name": f"kube-proxy-{name}"}, "spec": {"nodeName": name}, "status": {"phase": "Running"}}
        for name in names
    ]
    (folder / "nodes.json").write_text(json.dumps({"items": [{"metadata": {"name": name}} for name in names]}))
    (folder / "pods.json").write_text(json.dumps({"items": pods}))
    (folder / "objects.json").write_text(json.dumps(CAPTURE.objects))
    for number, name in enumerate(names):
        _give(folder, name, healthy(number))
    return folder


def _give(folder: Path, node: str, files: dict[str, str]) -> None:
    for suffix, text in files.items():
        (folder / f"{node}{suffix}").write_text(text)


def _ask(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, Any]:
    status = run(["nodes", "-o", "json", *map(str, words)], commands)
    out = capsys.readouterr().out
    return status, json.loads(out) if out else None


def test_healthy_nodes_agree(cluster: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = _ask(capsys, "--keep", tmp_path / "kept", "--context", "prod")
    assert (status, document["nodes"], document["not_compared"]) == (0, 6, [])
    kept = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert kept[:2] == ["node-0.v4.txt", "node-0.v6.txt"]
    assert run(["compare", "--nodes", str(tmp_path / "kept")]) == 0
    calls = [json.loads(line) for line in (cluster / "calls").read_text().splitlines()]
    assert all(call[:2] == ["--context", "prod"] for call in calls)


def test_what_a_cluster_does_to_exec(cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cluster / "node-1.does").write_text("fail")
    _give(cluster, "node-2", BY_NAME["cut"].plant(healthy(2)))
    (cluster / "node-3.does").write_text("once")
    pods = json.loads((cluster / "pods.json").read_text())
    pods["items"] = [each for each in pods["items"] if each["spec"]["nodeName"] != "node-4"]
    (cluster / "pods.json").write_text(json.dumps(pods))
    _give(cluster, "node-5", BY_NAME["uneven"].plant(healthy(5)))
    status, document = _ask(capsys, "--timeout", "600", "--retries", "1")
    assert status == 1
    why = {each["node"]: each["why"] for each in document["not_compared"]}
    assert set(why) == {"node-1", "node-2", "node-4"}
    assert "error executing command in container" in why["node-1"]
    assert "cut off" in why["node-2"]
    assert "no running pod of k8s-app=kube-proxy" in why["node-4"]
    assert document["nodes"] == 3
    assert {each["kind"] for each in document["differences"]} == {"probability"}


def test_a_node_that_hangs(cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cluster / "node-0.does").write_text("hang")
    assert run(["nodes", "--timeout", "1", "--retries", "1", "node-0"], commands) == 2
    assert "node-0: iptables-save: kubectl exec did not answer within 1 s" in capsys.readouterr().err


def test_an_interrupt_does_not_wait_for_nodes_that_hang(cluster: Path) -> None:
    (cluster / "node-0.does").write_text("interrupt")
    code = """
import signal
from ipt_explain.cli.kubectl import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, "nodes", "--timeout", "600"],
        capture_output=True, check=False, cwd=ROOT, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, b"", b"")


def test_a_cluster_without_ipv6(cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5):
        (cluster / f"node-{number}.does").write_text("no IPv6")
    names = [f"node-{number}" for number in range(5)]
    status, document = _ask(capsys, "--timeout", "600", *names)
    assert (status, document["nodes"], document["not_compared"]) == (0, 5, [])
    status, document = _ask(capsys, "--timeout", "600")
    assert status == 1
    assert {each["node"] for each in document["not_compared"]} == set(names)


def test_nodes_without_a_pod_by_debug(cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cluster / "pods.json").write_text("")
    status, document = _ask(capsys, "--debug", "node-1", "node-3")
    assert (status, document["nodes"]) == (0, 2)
    calls = [json.loads(line) for line in (cluster / "calls").read_text().splitlines()]
    assert ["debug", "node/node-1"] in [call[:2] for call in calls]


def test_against_the_cluster_s_objects(cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _give(cluster, "node-5", BY_NAME["stale-endpoint"].plant(healthy(5)))
    status, document = _ask(capsys, "--objects")
    assert status == 1
    assert document["schema"] == "ipt-explain/audit/1"
    assert ("IPT802", ["node-5"]) in [(each["rule"], each["nodes"]) for each in document["findings"]]


def test_any_command_on_one_node(cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["node", "node-2", "explain", "-o", "json"], commands) == 0
    document = json.loads(capsys.readouterr().out)
    assert {each["family"] for each in document["services"]} == {"ipv4", "ipv6"}
    assert run(["node", "node-2", "trace", "--from", "10.244.1.9", "--to", "10.96.0.10:53/udp"], commands) == 0
    assert "10.96.0.10" in capsys.readouterr().out
    (cluster / "node-2.does").write_text("fail")
    assert run(["node", "node-2", "audit"], commands) == 2
    assert "error executing command" in capsys.readouterr().err


def test_the_next_commands_ask_the_node_again(cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files that were read are gone."""
    assert run(["node", "--context", "a b", "--debug", "node-2", "--problems"], commands) == 0
    out = capsys.readouterr().out
    assert " kubectl iptexplain node --context 'a b' --debug node-2 -o table\n" in out
    assert "/ipt-explain-" not in out.partition("Next: ")[2]


def test_no_option_of_nodes_speaks_of_another(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["nodes", "--help"], commands) == 0
    out = capsys.readouterr().out
    assert "Read with N processes." in out
    assert "--nodes" not in out and "--node-from" not in out


def test_misuse_is_reported(cluster: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["nodes", "no-such-node"], commands) == 2
    assert "the cluster has no node no-such-node" in capsys.readouterr().err
    (cluster / "nodes.json").write_text("<html>")
    assert run(["nodes"], commands) == 2
    assert "did not print JSON" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(cluster))
    assert run(["nodes"], commands) == 2
    assert "there is no kubectl on the PATH" in capsys.readouterr().err


def test_the_files_of_healthy_nodes_have_both_families() -> None:
    assert set(healthy(1)) == {V4, V6}
