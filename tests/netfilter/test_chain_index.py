"""Long chains are passed through by address and port: what packets meet there is what asking every rule tells."""

from __future__ import annotations

import json

import pytest

import ipt_explain
from ipt_explain.analyzers import explain
from ipt_explain.model import Family
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.walk.chains import chain_index
from ipt_explain.netfilter.whereabouts import Whereabouts
from ipt_explain.parsing import read_dump
from tests.bench.kube_proxy import Service, node_lines
from tests.kube_corpus import Scenario, scenarios
from tests.trace.helpers import save

_LONG = {"affinity", "cfg-nodeportaddr", "loadbalancer", "nodeport", "policy", "ports"}


def _fates(capture: Scenario) -> object:
    def rounded(text: str) -> float:
        return round(float(text), 12)

    return json.loads(explain(read_dump(capture.ipv4 or "")).to_json(), parse_float=rounded)


@pytest.mark.parametrize(
    "capture",
    [each for each in scenarios() if each.name in _LONG and each.version in ("1.18", "1.30", "1.34")],
    ids=lambda capture: capture.id,
)
def test_an_index_finds_what_asking_every_rule_finds(capture: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_index, "_WORTH_AN_INDEX", 1 << 31)
    plainly = _fates(capture)
    monkeypatch.setattr(chain_index, "_WORTH_AN_INDEX", 1)
    assert _fates(capture) == plainly


def test_packets_to_an_unknown_address_meet_only_rules_that_may_be_for_it() -> None:
    """A node's ports at one of its addresses: of a thousand Services' rules for their own addresses, none is asked."""
    node = Whereabouts("a node's address", Family.IPV4, within=((0xC0000200, 0xFFFFFF00),))
    rules = [f"nat -A PREROUTING -d 10.96.{at >> 8}.{at & 255}/32 -p tcp -m tcp --dport 80 -j SVC" for at in range(1000)]
    dump = save("\n".join([*rules, "nat -A PREROUTING -d 192.0.2.9/32 -j NODEPORTS", "nat -A SVC -j RETURN",
                           "nat -A NODEPORTS -p tcp -m tcp --dport 30001 -j DROP"]))  # fmt: skip
    index = chain_index.ChainIndex(dump.rulesets[0].tables["nat"].chains["PREROUTING"])
    to = [Heading(node, 30001), Heading(node, 30002)]
    assert index.unclear(to, range(2)) == [0, 1]
    assert index.may_match(to, 0) == [1000]
    assert index.may_match(to, 1001) == []
    assert index.may_match([Heading(node, None)], 7) == range(7, 1001)


def test_a_long_chain_is_looked_through_once_for_all_protocols(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    make = chain_index.ChainIndex
    monkeypatch.setattr(chain_index, "ChainIndex", lambda chain: made.append(chain.name) or make(chain))
    services = [
        Service(f"demo/web-{number}", f"10.96.0.{number}", 80, (f"10.128.0.{number}:80",), ("tcp", "udp", "sctp")[number % 3])
        for number in range(1, 61)
    ]  # fmt: skip
    ipt_explain.explain(ipt_explain.parse("".join(node_lines(services))))
    assert made == ["KUBE-SERVICES"]
