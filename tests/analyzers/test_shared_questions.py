"""Services whose rules ask for their own addresses: a crowd of them asks together, and explain names each one's own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

import ipt_explain
from ipt_explain.netfilter.walk.chains.evaluator import Evaluator
from tests.bench.kube_proxy import CLUSTER_CIDR, Service, node_lines

NODES = "192.168.50.0/24"  # with the node, so that each load balancer has a rule for its own addresses


def _services(count: int) -> Sequence[Service]:
    """Load balancers of two addresses each, in either order, with an endpoint on a host's network."""
    return [
        Service(
            f"demo/web-{number}", f"10.96.0.{number}", 80, (f"10.128.1.{number}:80", f"192.168.50.{number}:80"),
            node_port=30_000 + number,
            balancer_ips=(f"203.0.113.{number}", f"198.51.100.{100 - number}")[:: 1 - 2 * (number % 2)],
            source_ranges=(NODES,),
        )
        for number in range(1, count + 1)
    ]  # fmt: skip


def _fates(services: Sequence[Service]) -> dict[tuple[str, int], Any]:
    """What connections from the node meet, on a node in NodeCIDR mode: its own address may be any outside its pods'."""
    text = "".join(node_lines(services)).replace(CLUSTER_CIDR, "10.128.1.0/24")
    told = json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json())["services"]
    return {
        (frontend["address"], frontend["port"]): frontend["fates"]["node"]
        for service in told
        for frontend in service["frontends"]
    }


def test_a_service_among_others_asks_what_it_asks_alone() -> None:
    services = _services(6)
    together = _fates(services)
    for service in services:
        alone = _fates([service])
        assert alone == {front: together[front] for front in alone}
        for address in service.balancer_ips:
            asked = (NODES, *(f"{each}/32" for each in service.balancer_ips))
            assert set(together[address, 80]["open"]) == {f"-s {each}" for each in asked}


@pytest.mark.parametrize("work", ["ask", "_one"])
def test_more_services_are_asked_together(work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []
    ask = getattr(Evaluator, work)
    monkeypatch.setattr(Evaluator, work, lambda *about: asked.append(None) or ask(*about))
    _fates(_services(40))
    few = len(asked)
    _fates(_services(80))
    assert len(asked) - few <= few + 2 * 40
