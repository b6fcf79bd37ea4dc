"""What `explain` prints for every sample, to the letter."""

from __future__ import annotations

import json

import pytest

from ipt_explain.cli.main import run
from tests.cli.program import ROOT, SAMPLES
from tests.golden_support import Golden

NAMES = sorted(path.stem for path in SAMPLES.glob("*.txt"))
WIDE = ("damaged-node", "fragment-3-affinity", "kube-proxy-1.30-policy")
DATA = ("fragment-1-one-pod", "fragment-2-three-pods", "fragment-3-affinity", "damaged-node")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["explain", *arguments]) == 0
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples are named as a user in the checkout names them."""
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("name", NAMES)
def test_tree(name: str, golden: Golden, capsys: pytest.CaptureFixture[str]) -> None:
    golden(f"explain/{name}.txt", printed(capsys, f"samples/{name}.txt", "--width", "80"))


@pytest.mark.parametrize("name", WIDE)
def test_wide_tree(name: str, golden: Golden, capsys: pytest.CaptureFixture[str]) -> None:
    golden(f"explain/{name}.wide.txt", printed(capsys, f"samples/{name}.txt", "--width", "200"))


@pytest.mark.parametrize("name", NAMES)
def test_table(name: str, golden: Golden, capsys: pytest.CaptureFixture[str]) -> None:
    golden(f"explain/{name}.table.txt", printed(capsys, f"samples/{name}.txt", "-o", "table", "--width", "80"))


@pytest.mark.parametrize("name", NAMES)
def test_table_of_frontends(name: str, golden: Golden, capsys: pytest.CaptureFixture[str]) -> None:
    golden(f"explain/{name}.frontends.txt", printed(capsys, f"samples/{name}.txt", "-o", "wide"))


@pytest.mark.parametrize("name", DATA)
def test_json(name: str, golden: Golden, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(printed(capsys, f"samples/{name}.txt", "-o", "json"))
    golden(f"explain/{name}.json", json.dumps(data, indent=1) + "\n")
