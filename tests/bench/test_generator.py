"""Generated dumps are what iptables itself would have printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

import ipt_explain
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.services.ports import ServiceState
from tests.audit.helpers import audit_text
from tests.bench.generator import dump, mixed_dump, mixed_services, services
from tests.bench.kube_proxy import RULES_PER_DUMP, Service

SEARCH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
HAS_TOOLS = all(shutil.which(tool, path=SEARCH) for tool in ("unshare", "iptables-legacy-restore", "iptables-legacy-save"))


def rules(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("-A ")]


@pytest.mark.parametrize("count", [7, 101])
def test_the_number_of_rules(count: int) -> None:
    assert len(rules(dump(count, 10))) == count * 32 + RULES_PER_DUMP


def test_comments_on_endpoints_end_above_a_thousand_as_those_of_kube_proxy_do() -> None:
    assert [bool(re.search("-A KUBE-S(EP|VC)-.* -> ", dump(count, 10))) for count in (100, 101)] == [True, False]


def test_the_same_seed_gives_the_same_dump() -> None:
    assert dump(5, 3, seed=7) == dump(5, 3, seed=7) != dump(5, 3, seed=8)


@pytest.mark.skipif(os.geteuid() != 0, reason="making a network namespace takes root")
@pytest.mark.skipif(not HAS_TOOLS, reason="iptables or unshare is not installed")
@pytest.mark.parametrize("text", [dump(12, 11), dump(101, 10), mixed_dump(6_000)], ids=["few", "many", "mixed"])
def test_the_kernel_gives_back_every_rule_as_it_was(text: str) -> None:
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", "iptables-legacy-restore && iptables-legacy-save"],
        check=False,
        input=text,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": SEARCH},
    )
    assert done.returncode == 0, done.stderr
    assert sorted(rules(done.stdout)) == sorted(rules(text))


def test_every_service_is_found_with_even_shares() -> None:
    facts = ipt_explain.explain(ipt_explain.parse(dump(9, 4)))
    assert {service.label for service in facts.services} == {service.name for service in services(9, 4)}
    for service in facts.services:
        assert [endpoint.probability for endpoint in service.endpoints] == pytest.approx([0.25] * 4, abs=1e-9)


def test_a_mixed_dump_has_what_a_node_has() -> None:
    found = mixed_services(32_000)
    sizes = [len(service.endpoints) for service in found]
    assert 32_000 <= len(rules(mixed_dump(32_000))) <= 32_400
    assert (min(sizes), max(sizes)) == (0, 100) and len(set(sizes)) > 50 and sorted(sizes)[len(sizes) // 2] <= 2
    assert 0.08 < sum(service.exposed for service in found) / len(found) < 0.12
    for field in ("node_port", "balancer_ips", "source_ranges", "external_ips", "affinity_seconds", "external_local", "internal_local", "local"):
        assert 5 < sum(bool(getattr(service, field)) for service in found) < len(found) / 8


def test_every_service_of_a_mixed_dump_is_found_and_nothing_is_wrong() -> None:
    text = mixed_dump(6_000)
    assert {finding.severity for finding in audit_text(text)} == {Severity.INFO}
    found = {service.label: service for service in ipt_explain.explain(ipt_explain.parse(text)).services}
    for service in mixed_services(6_000):
        seen = found.pop(service.name)
        assert seen.state is _state(service)
        if not service.internal_local:
            assert {endpoint.address for endpoint in seen.endpoints} == {each.partition(":")[0] for each in service.endpoints}
    assert not found


def _state(service: Service) -> ServiceState:
    if not service.endpoints:
        return ServiceState.NO_ENDPOINTS
    return ServiceState.NO_LOCAL_ENDPOINTS if service.internal_local and not service.local else ServiceState.SERVING
