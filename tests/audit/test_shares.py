"""One story of shares: of a damaged balancer, explain's chances, trace's outcomes and the audit's numbers are the same,
and compare sees that they have changed.
"""

from __future__ import annotations

from collections import Counter

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.audit.context import DumpContext
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains
from ipt_explain.parsing import read_dump
from ipt_explain.trace.packet import Packet
from ipt_explain.trace.tracer import trace
from ipt_explain.words import address_port
from tests.audit.edits import captured
from tests.compare.helpers import compared

NODE = captured("1.30", "nodeport")
CHAIN = "KUBE-SVC-Y5UIPWI2CCSGKMPU"
FIRST, SECOND, LAST = (line for line in NODE.splitlines() if line.startswith(f"-A {CHAIN} ") and " -> " in line)
THIRD, HALF = "--probability 0.33333333349", "--probability 0.50000000000"
RANDOM = "-m statistic --mode random --probability 0.25000000000"
ENDPOINTS = (("10.244.1.3", 8080), ("10.244.1.4", 8080), ("10.244.3.3", 8080))
DAMAGED = {
    "gone": ("", SECOND, LAST),
    "last gone": (FIRST, SECOND, ""),
    "larger": (FIRST.replace(THIRD, "--probability 0.90000000000"), SECOND, LAST),
    "never": (FIRST, SECOND.replace(HALF, "--probability 0.00000000000"), LAST),
    "always": (FIRST, SECOND.replace(HALF, "--probability 1.00000000000"), LAST),
    "negated": (FIRST.replace(THIRD, f"! {THIRD}"), SECOND, LAST),
    "swapped": (SECOND, FIRST, LAST),
    "twice": (FIRST, FIRST, SECOND, LAST),
    "last first": (LAST, FIRST, SECOND),
    "some return": (FIRST, f"-A {CHAIN} {RANDOM} -j RETURN", SECOND, LAST),
    "some are accepted": (f"-A {CHAIN} {RANDOM} -j ACCEPT", FIRST, SECOND, LAST),
    "the rest is accepted": (FIRST, SECOND, f"-A {CHAIN} -j ACCEPT", LAST),
    "of another protocol": (FIRST, f"-A {CHAIN} -p udp -j RETURN", SECOND, LAST),
    "counted": (f"-A {CHAIN} -m statistic --mode nth --every 3 --packet 0 -j {FIRST.split()[-1]}", SECOND, LAST),
    "translated here": (FIRST, f"-A {CHAIN} -p tcp {RANDOM} -j DNAT --to-destination 10.244.9.9:80", SECOND, LAST),
}


@pytest.mark.parametrize("rules", DAMAGED.values(), ids=DAMAGED)
def test_all_tell_the_same_shares(rules: tuple[str, ...]) -> None:
    healthy = f"{FIRST}\n{SECOND}\n{LAST}"
    assert healthy in NODE
    text = NODE.replace(healthy, "\n".join(filter(None, rules)))
    dump = read_dump(text)
    (service,) = (each for each in explain(dump).services if each.label == "default/np3:http")
    told = {address_port(each.address or "", each.port): each.probability for each in service.endpoints}
    outcomes = trace(dump, Packet("10.244.9.99", "10.96.0.21", "tcp", 80), local_addresses=["192.168.50.11"]).outcomes
    walked = Counter[str]()
    for outcome in outcomes:
        walked[outcome.dnat or ""] += outcome.probability  # type: ignore[assignment]
    lost = walked.pop("", 0.0)
    assert {each: share for each, share in told.items() if share} == pytest.approx(dict(walked), abs=1e-9)
    (context,) = DumpContext(dump).rulesets
    for odd in balancing_chains(context).odd:
        judged = Counter[str]()
        for choice in odd.choices:
            judged[choice.destination] += choice.share  # type: ignore[assignment]
        assert {each: share for each, share in judged.items() if share} == pytest.approx(dict(walked), abs=1e-9)
        assert odd.leak == pytest.approx(lost, abs=1e-9)
    if lost or max(walked.values()) - min(walked.values()) > 1e-6:
        assert [each.chain.name for each in balancing_chains(context).odd] == [CHAIN]
    if dict(walked) != pytest.approx({address_port(*each): 1 / 3 for each in ENDPOINTS}, abs=1e-6):
        assert compared(NODE, text).differences
