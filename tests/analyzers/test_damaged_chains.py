"""A damaged chain among many that look like it: others' figures stay as they are, and so does the work they take."""

from __future__ import annotations

import json
from typing import Any

import pytest

import ipt_explain
from ipt_explain.netfilter.walk.chains.evaluator import Evaluator
from tests.bench.generator import dump, services

NODE = dump(40, 12)
DAMAGED = services(40, 12)[20]
CHANCE = f'-A {DAMAGED.chain} -m comment --comment "{DAMAGED.name} -> {DAMAGED.endpoints[3]}" -m statistic --mode random --probability 0.1'


def _services(text: str) -> dict[str, Any]:
    told = json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json())["services"]
    return {f"{each['namespace']}/{each['name']}": each for each in told}


def test_others_are_explained_as_before_and_with_few_questions_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []
    ask = Evaluator.ask
    monkeypatch.setattr(Evaluator, "ask", lambda *about: asked.append(None) or ask(*about))
    healthy, few = _services(NODE), len(asked)
    assert NODE.count(CHANCE) == 1
    found = _services(NODE.replace(CHANCE, f"{CHANCE[:-1]}0"))
    assert [name for name in found if found[name] != healthy[name]] == [DAMAGED.name.partition(":")[0]]
    assert len(asked) - few < few + 20
