"""Generated dumps are what iptables itself would have printed."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

import ipt_explain
from tests.bench.generator import RULES_PER_DUMP, dump, services

SEARCH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
HAS_TOOLS = all(shutil.which(tool, path=SEARCH) for tool in ("unshare", "iptables-legacy-restore", "iptables-legacy-save"))


def rules(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("-A ")]


@pytest.mark.parametrize("large_cluster", [False, True])
def test_the_number_of_rules(large_cluster: bool) -> None:
    assert len(rules(dump(7, 10, large_cluster=large_cluster))) == 7 * 32 + RULES_PER_DUMP


def test_the_same_seed_gives_the_same_dump() -> None:
    assert dump(5, 3, seed=7) == dump(5, 3, seed=7) != dump(5, 3, seed=8)


@pytest.mark.skipif(os.geteuid() != 0, reason="making a network namespace takes root")
@pytest.mark.skipif(not HAS_TOOLS, reason="iptables or unshare is not installed")
@pytest.mark.parametrize("large_cluster", [False, True])
def test_the_kernel_gives_back_every_rule_as_it_was(large_cluster: bool) -> None:
    text = dump(12, 11, large_cluster=large_cluster)
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
