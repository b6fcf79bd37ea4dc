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


def _endpoints(text: str) -> list[dict[str, Any]]:
    return [endpoint for service in _services(text).values() for endpoint in service["endpoints"]]


def test_others_are_explained_as_before_and_with_few_questions_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []
    ask = Evaluator.ask
    monkeypatch.setattr(Evaluator, "ask", lambda *about: asked.append(None) or ask(*about))
    healthy, few = _services(NODE), len(asked)
    assert NODE.count(CHANCE) == 1
    found = _services(NODE.replace(CHANCE, f"{CHANCE[:-1]}0"))
    assert [name for name in found if found[name] != healthy[name]] == [DAMAGED.name.partition(":")[0]]
    assert len(asked) - few < few + 20


@pytest.mark.parametrize(("match", "takes_all"), [("-s 10.99.9.0/24 ", False), ("-m conntrack --ctorigdst 10.77.0.1 ", False), ("", True)])
def test_a_stray_dnat_for_others_is_not_the_endpoint(match: str, takes_all: bool) -> None:
    """Only one that takes all connections is."""
    dnat = next(line for line in NODE.splitlines() if "-j DNAT" in line)
    chain = dnat.split()[1]
    stray = f"-A {chain} {match}-p tcp -j DNAT --to-destination 10.99.9.9:99"
    assert "-p tcp" in dnat
    (own,) = [each for each in _endpoints(NODE) if each["chain"] == chain]
    (found,) = [each for each in _endpoints(NODE.replace(dnat, f"{stray}\n{dnat}")) if each["chain"] == chain]
    if takes_all:
        assert (found["address"], found["port"]) == ("10.99.9.9", 99)
    else:
        assert [found[key] for key in ("address", "port", "probability")] == [own[key] for key in ("address", "port", "probability")]
