"""`--objects` adds endpoints' pods, nodes and zones, in every mode."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipt_explain.cli.main import run
from tests.kube_corpus import scenario

_DNS = "kube-system/kube-dns:dns"


def _objects(target: object) -> str:
    objects = scenario("1.30", "policy").objects
    for item in objects["items"]:
        for endpoint in item.get("endpoints", ()):
            if endpoint["addresses"] == ["10.244.2.2"]:
                endpoint["targetRef"] = target
    return json.dumps(objects)


def _printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(list(words)) == 0
    return capsys.readouterr().out


@pytest.fixture
def node(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "node.txt").write_text(scenario("1.30", "policy").ipv4, encoding="utf-8")
    pod = {"kind": "Pod", "namespace": "kube-system", "name": "coredns-abc"}
    (tmp_path / "objects.json").write_text(_objects(pod), encoding="utf-8")
    return ("--objects", str(tmp_path / "objects.json"), str(tmp_path / "node.txt"))


def test_explain_names_pods_nodes_and_zones(node: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    text = _printed(capsys, "explain", "-s", _DNS, "--width", "120", *node)
    assert "· node-a (zone z1)\n" in text.split("kube-proxy")[0]
    assert "10.244.2.2:53  hairpin ok  coredns-abc on node-b (zone z2)  " in text
    assert "10.244.3.2:53  hairpin ok  node-c (zone z3)  " in text


def test_no_line_is_wider_for_them(node: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    for width in (40, 80):
        assert max(map(len, _printed(capsys, "explain", "--width", str(width), *node).splitlines())) <= width


def test_json_has_them_only_with_objects(node: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(_printed(capsys, "explain", "-s", _DNS, "-o", "json", *node))
    assert (data["rulesets"][0]["node"], data["rulesets"][0]["zone"]) == ("node-a", "z1")
    places = [(each["pod"], each["node"], each["zone"]) for each in data["services"][0]["endpoints"]]
    assert places == [("kube-system/coredns-abc", "node-b", "z2"), (None, "node-c", "z3")]
    bare = json.loads(_printed(capsys, "explain", "-s", _DNS, "-o", "json", node[-1]))
    assert "node" not in bare["rulesets"][0] and "pod" not in bare["services"][0]["endpoints"][0]


def test_trace_says_where_packets_end(node: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    words = ("trace", "--from", "10.244.1.77", "--to", _DNS)
    assert "10.244.2.2:53, coredns-abc on node-b (zone z2): accepted" in _printed(capsys, *words, *node)
    first = json.loads(_printed(capsys, *words, "-o", "json", *node))["outcomes"][0]
    assert (first["pod"], first["node"], first["zone"]) == ("kube-system/coredns-abc", "node-b", "z2")


def test_the_report_has_them(node: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert "coredns-abc on node-b (zone z2)" in _printed(capsys, "report", *node)


def test_an_endpoint_that_the_objects_lack_has_none(
    tmp_path: Path, node: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(node[-1]).read_text(encoding="utf-8").replace("10.244.2.2:53", "10.244.2.99:53")
    (tmp_path / "other.txt").write_text(text, encoding="utf-8")
    data = json.loads(_printed(capsys, "explain", "-s", _DNS, "-o", "json", *node[:2], str(tmp_path / "other.txt")))
    assert [each["pod"] for each in data["services"][0]["endpoints"]] == [None, None]
    assert [each["node"] for each in data["services"][0]["endpoints"]] == [None, "node-c"]


@pytest.mark.parametrize("target", [None, "x", {"kind": "Node", "name": "n"}, {"kind": "Pod", "name": ["\x1b"]}])
def test_a_strange_reference_names_no_pod(
    target: object, tmp_path: Path, node: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "objects.json").write_text(_objects(target), encoding="utf-8")
    data = json.loads(_printed(capsys, "explain", "-s", _DNS, "-o", "json", *node))
    assert data["services"][0]["endpoints"][0]["pod"] is None


def test_names_are_safe_on_a_terminal(
    tmp_path: Path, node: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    pod = {"kind": "Pod", "name": "a\x1b]8;;http://x\x07\u202eb\n::error::c"}
    (tmp_path / "objects.json").write_text(_objects(pod), encoding="utf-8")
    for words in (("explain",), ("explain", "-o", "json"), ("trace", "--from", "10.244.1.77", "--to", _DNS), ("report",)):
        text = _printed(capsys, *words, *node)
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())
