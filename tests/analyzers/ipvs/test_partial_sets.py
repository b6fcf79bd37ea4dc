"""Nodes of which some sets are not in the input: each connection depends on what those hold of its own places."""

from __future__ import annotations

import json
from typing import Any

import pytest

import ipt_explain
from ipt_explain.analyzers.fates import masquerading, reading
from ipt_explain.netfilter.packet import PacketState
from tests.ipvs_corpus import SAVED, IpvsNode, ipvs_nodes

KEPT = ("KUBE-CLUSTER-IP", "KUBE-NODE-PORT-TCP", "KUBE-6-CLUSTER-IP")
SCENARIOS = ("basic", "affinity", "policy", "sched-lc", "externalips")
NODES = [each for each in ipvs_nodes() if each.id.rpartition("/")[2] in SCENARIOS]


def in_any_order(told: Any) -> Any:
    """The same, with open questions in any order."""
    if isinstance(told, list):
        return [in_any_order(each) for each in told]
    if not isinstance(told, dict):
        return told
    return {key: sorted(each) if key == "open" else in_any_order(each) for key, each in told.items()}


def explained(node: IpvsNode, kept: tuple[str, ...]) -> Any:
    sets = [line for line in node.files["ipset-save"].splitlines() if line.split()[1] in kept]
    tools = [name for name in SAVED if name != "ipset-save"]
    text = node.text(tuple(tools)) + "".join(f"{line}\n" for line in sets)
    return in_any_order(json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json()))


@pytest.mark.parametrize("kept", [(), KEPT], ids=["no sets", "some sets"])
@pytest.mark.parametrize("node", NODES, ids=lambda node: node.id)
def test_questions_asked_of_all_at_once_are_named_for_each(
    node: IpvsNode, kept: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = explained(node, kept)
    assert "it was sent to" not in str(together) and "bound for" not in str(together)

    def one_by_one(start: PacketState, _: object) -> PacketState:
        return start

    for module in (reading, masquerading):
        monkeypatch.setattr(module, "asking_together", one_by_one)
    assert explained(node, kept) == together
