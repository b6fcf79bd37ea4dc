"""The last rule that a packet met is found without listing its whole path, which is slow for thousands of endpoints."""

from __future__ import annotations

import re

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.netfilter.walk.path import Path, Step
from ipt_explain.parsing import read_dump
from ipt_explain.services.fates import Loss
from tests import listing_corpus

LISTING = listing_corpus.node("1.30-dual-stack")["iptables-L-nv.txt"]


def test_a_jump_to_a_chain_that_is_not_shown_is_the_last_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    head, filter_table, rest = LISTING.partition("# iptables -t filter ")
    text = head + filter_table + re.sub(r"Chain KUBE-SERVICES \(.*?\n\n", "", rest, count=1, flags=re.DOTALL)
    assert text != LISTING
    asked: list[Path] = []
    find, listed = Path.last_met, Path.steps

    def last_met(path: Path) -> object:
        asked.append(path)
        return find(path)

    def steps(path: Path) -> object:
        pytest.fail("a path was listed")

    monkeypatch.setattr(Path, "last_met", last_met)
    monkeypatch.setattr(Path, "steps", steps)
    lost = [
        lost
        for service in explain(read_dump(text)).services
        for frontend in service.frontends
        if frontend.fates is not None
        for lost in frontend.fates.pod.lost
    ]
    assert {(each.how, each.decider.chain) for each in lost if "KUBE-SERVICES" in each.why} == {(Loss.UNKNOWN, "FORWARD")}
    for path in asked:
        found, last = find(path), listed(path)[-1]
        assert isinstance(found, Step) and isinstance(last, Step)
        assert (found.chain, found.rule, found.into) == (last.chain, last.rule, last.into)
