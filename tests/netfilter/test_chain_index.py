"""Long chains are passed through by address and port: what packets meet there is what asking every rule tells."""

from __future__ import annotations

import json

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.netfilter.walk.chains import chain_index
from ipt_explain.parsing import read_dump
from tests.kube_corpus import Scenario, scenarios

_LONG = {"affinity", "loadbalancer", "nodeport", "policy", "ports"}


def _fates(capture: Scenario) -> object:
    def rounded(text: str) -> float:
        return round(float(text), 12)

    return json.loads(explain(read_dump(capture.ipv4 or "")).to_json(), parse_float=rounded)


@pytest.mark.parametrize(
    "capture",
    [each for each in scenarios() if each.name in _LONG and each.version in ("1.18", "1.34")],
    ids=lambda capture: capture.id,
)
def test_an_index_finds_what_asking_every_rule_finds(capture: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_index, "_WORTH_AN_INDEX", 1 << 31)
    plainly = _fates(capture)
    monkeypatch.setattr(chain_index, "_WORTH_AN_INDEX", 1)
    assert _fates(capture) == plainly
