"""The kernel is the judge: rulesets made by chance, real packets, and traces that must have foretold what became of them."""

from __future__ import annotations

import random

import pytest

import ipt_explain
from tests.kernel.judge import disagreement, foretell
from tests.kernel.laboratory import Laboratory
from tests.kernel.namespaces import missing
from tests.kernel.rulesets import IPV4, IPV6, packets, ruleset

_WHY_NOT = missing()
pytestmark = pytest.mark.skipif(_WHY_NOT is not None, reason=f"no kernel to ask: {_WHY_NOT}")

RULESETS = 15
PACKETS = 10
TIMES = 60


@pytest.mark.parametrize(
    ("backend", "ipv6", "seed"),
    [("nft", False, 1), ("legacy", False, 2), ("nft", True, 3), ("legacy", True, 4)],
    ids=["nft-ipv4", "legacy-ipv4", "nft-ipv6", "legacy-ipv6"],
)
def test_traces_predict_what_the_kernel_does(backend: str, ipv6: bool, seed: int) -> None:
    addresses = IPV6 if ipv6 else IPV4
    chance = random.Random(seed)
    local = (f"{addresses.also_local}@lo", f"{addresses.pods[0][:-1]}f1@cni0" if ipv6 else "10.244.1.1@cni0")
    judged = 0
    wrong: list[str] = []
    with Laboratory(backend, ipv6, (*local, "2001:db8::1@eth0" if ipv6 else "198.51.100.1@eth0")) as laboratory:
        for number in range(RULESETS):
            rules = ruleset(addresses, chance)
            if refused := laboratory.load(rules):
                raise AssertionError(f"ruleset {number} is not one: {refused}\n{rules}")
            dump = ipt_explain.parse(laboratory.saved())
            shots = packets(addresses, chance, PACKETS)
            for shot, observed in zip(shots, laboratory.counts(shots, TIMES)):
                said = disagreement(foretell(dump, shot, laboratory), observed)
                judged += 1
                if said:
                    wrong.append(f"ruleset {number}, {shot}: {said}\n{laboratory.saved() if len(wrong) < 2 else ''}")
    assert not wrong, f"{len(wrong)} of {judged}:\n" + "\n".join(wrong[:8])
    assert judged == RULESETS * PACKETS
