"""`--objects` names IPVS virtual servers in explain, audit and trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipt_explain.cli.main import run
from tests.ipvs_corpus import ipvs_nodes

_DNS = ("-s", "kube-system/kube-dns:metrics")


def _printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(list(words)) in (0, 1)
    return capsys.readouterr().out


@pytest.fixture
def node(tmp_path: Path) -> tuple[str, ...]:
    """A node that drops packets to kube-dns, and the objects."""
    (captured,) = [each for each in ipvs_nodes() if each.id.endswith("/basic")]
    text = captured.text().replace("\n-A INPUT ", "\n-A INPUT -d 10.96.0.10/32 -j DROP\n-A INPUT ", 1)
    (tmp_path / "node.txt").write_text(text, encoding="utf-8")
    (tmp_path / "objects.json").write_text(captured.objects, encoding="utf-8")
    return ("--objects", str(tmp_path / "objects.json"), str(tmp_path / "node.txt"))


def test_explain_audit_and_trace_say_the_same_name(node: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    service = json.loads(_printed(capsys, "explain", *_DNS, "-o", "json", *node))["services"][0]
    assert (service["name"], service["port_name"]) == ("kube-dns", "metrics")
    assert "kube-system/kube-dns:metrics" in _printed(capsys, "audit", "-v", *_DNS, "-o", "concise", *node)
    traced = _printed(capsys, "trace", "--from", "10.244.1.77", "--to", "kube-system/kube-dns:metrics", *node)
    assert "→ kube-system/kube-dns:metrics 10.96.0.10:9153" in traced


def test_names_change_no_finding(node: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for words in (node, node[2:]):
        findings = json.loads(_printed(capsys, "audit", "-o", "json", *words))["findings"]
        found.append([(each["rule"], each["line"]) for each in findings])
    assert found[0] == found[1] != []


def test_a_closed_port_names_the_services_of_its_address(
    node: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    traced = _printed(capsys, "trace", "--from", "10.244.1.77", "--to", "10.96.0.10:99", *node)
    assert "53/udp (kube-system/kube-dns:dns)" in " ".join(traced.split())
