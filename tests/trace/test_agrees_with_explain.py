"""explain computes chances from the form of kube-proxy's chains, trace by walking rules as the kernel does: they agree."""

from __future__ import annotations

from collections import defaultdict

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.model import Dump, Family
from ipt_explain.parsing import read_dump
from ipt_explain.services.ports import Endpoint, Frontend, FrontendKind, FrontendVerdict, ServicePort
from ipt_explain.trace import Packet, trace
from tests.kube_corpus import Scenario, scenario, scenarios

_ASKED = (
    "affinity",
    "basic",
    "cfg-bridge",
    "cfg-masqall",
    "conditions",
    "dual-stack",
    "large",
    "policy",
    "ports",
    "shared",
)
_POD = {Family.IPV4: "10.244.9.99", Family.IPV6: "fd00:10:244:9::99"}


def _text(endpoint: Endpoint) -> str:
    return (
        f"[{endpoint.address}]:{endpoint.port}"
        if ":" in str(endpoint.address)
        else f"{endpoint.address}:{endpoint.port}"
    )


def _traced(dump: Dump, service: ServicePort, frontend: Frontend, node: str) -> tuple[dict[str, float], set[str]]:
    """Where connections of an ordinary pod to a frontend end: chances by endpoint, and the verdicts."""
    packet = Packet(
        source=_POD[service.family], destination=str(frontend.address), protocol=service.protocol, port=frontend.port,
        in_interface="cni0",
    )  # fmt: skip
    chances: dict[str, float] = defaultdict(float)
    verdicts = set()
    for outcome in trace(dump, packet, local_addresses=[node]).outcomes:
        verdicts.add(outcome.verdict)
        if outcome.dnat is not None:
            chances[outcome.dnat] += outcome.probability
    return dict(chances), verdicts


@pytest.mark.parametrize(
    "capture", [each for each in scenarios() if each.name in _ASKED], ids=lambda capture: capture.id
)
def test_chances_are_those_of_the_walk(capture: Scenario) -> None:
    nodes = capture.config["node_ips"]
    for family, text in (("IPv4", capture.ipv4), ("IPv6", capture.ipv6)):
        dump = read_dump(text or "# nothing\n*nat\nCOMMIT\n")
        for service in explain(dump).services[:25]:
            cluster_ips = [each for each in service.frontends if each.kind is FrontendKind.CLUSTER_IP]
            for frontend in cluster_ips:
                chances, verdicts = _traced(dump, service, frontend, nodes[family])
                expected = {_text(each): each.probability for each in service.endpoints if each.probability > 0}
                assert chances == pytest.approx(expected, abs=1e-9), service.label
                if frontend.verdict is FrontendVerdict.REJECT:
                    assert verdicts == {"REJECT"}, service.label
                if frontend.verdict is FrontendVerdict.BALANCE:
                    assert "REJECT" not in verdicts, service.label


def test_a_cluster_ip_is_not_local_by_default() -> None:
    dump = read_dump(scenario("1.30", "policy").ipv4)
    packet = Packet(source=_POD[Family.IPV4], destination="10.96.0.22", port=80, in_interface="cni0")
    assert {each.verdict for each in trace(dump, packet).outcomes} == {"REJECT"}
    own = trace(dump, packet, local_addresses=["10.96.0.22"]).outcomes
    assert {each.verdict for each in own} == {"ACCEPT"}
