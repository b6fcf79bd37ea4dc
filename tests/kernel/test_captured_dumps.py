"""The kernel is the judge: dumps that kube-proxy left on nodes, loaded as they are, and packets to every kind of frontend."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

import pytest

import ipt_explain
from ipt_explain.model import Chain, Dump
from tests.kernel.judge import disagreement, foretell
from tests.kernel.laboratory import Laboratory, Shot
from tests.kernel.namespaces import missing
from tests.kube_corpus import scenario

_WHY_NOT = missing()
pytestmark = pytest.mark.skipif(_WHY_NOT is not None, reason=f"no kernel to ask: {_WHY_NOT}")

PACKETS = 40
TIMES = 60
_POD, _OTHER_POD, _OUTSIDE = "10.244.1.199", "10.244.2.199", "198.51.100.7"


@pytest.mark.parametrize("version", ["1.14", "1.18", "1.22", "1.24", "1.27", "1.30"])
@pytest.mark.parametrize("backend", ["legacy", "nft"])
def test_traces_predict_what_the_kernel_does_with_kube_proxys_rules(version: str, backend: str) -> None:
    captured = scenario(version, "loadbalancer")
    with Laboratory(backend) as laboratory:
        refused = laboratory.load(captured.ipv4)
        if refused:
            pytest.skip(f"{backend} does not take this dump: {refused}")
        dump = ipt_explain.parse(laboratory.saved())
        shots = random.Random(version).sample(_shots(dump, laboratory.node_address), PACKETS)
        wrong = [
            f"{shot}: {said}"
            for shot, observed in zip(shots, laboratory.counts(shots, TIMES))
            if (
                said := disagreement(foretell(dump, shot, laboratory), observed, masquerade_shows=shot.origin != "host")
            )
        ]
    assert not wrong, "\n".join(wrong[:8])


def _shots(dump: Dump, node: str) -> list[Shot]:
    """Packets from a pod, from outside and from the node, to every address and node port that rules without memory name."""
    nat = dump.rulesets[0].tables["nat"]
    remembering = {chain.name for chain in nat.chains.values() if any("-m recent" in rule.text for rule in chain.rules)}
    shots: set[Shot] = set()
    for table in dump.rulesets[0].tables.values():
        for chain in table.chains.values():
            for rule in chain.rules:
                if _remembers(rule.target, nat.chains, remembering) or rule.core("-p") not in ("tcp", "udp"):
                    continue
                port = re.search(r"--dport (\d+)", rule.text)
                if port is None or not chain.name.startswith("KUBE-"):
                    continue
                address = (rule.core("-d") or f"{node}/32").partition("/")[0]
                for origin, source in (("pod", _POD), ("pod", _OTHER_POD), ("external", _OUTSIDE), ("host", node)):
                    shots.add(Shot(origin, source, address, rule.core("-p") or "tcp", int(port[1])))
    return sorted(shots, key=repr)


def _remembers(name: str | None, chains: Mapping[str, Chain], remembering: set[str]) -> bool:
    """Whether a chain, or one that it leads to, keeps affinity: its outcome depends on packets before."""
    waiting: list[str | None] = [name]
    seen: set[str] = set()
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        seen.add(one)
        if one in remembering:
            return True
        chain = chains.get(one)
        waiting.extend(rule.target for rule in (chain.rules if chain is not None else ()))
    return False
