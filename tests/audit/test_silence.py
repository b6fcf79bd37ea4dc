"""Nothing is wrong with what real kube-proxy binaries wrote: not with whole dumps, nor with parts of them.

Notes (severity info) are allowed: they tell, they do not accuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.severity import Severity
from tests.audit.helpers import audit_text
from tests.corpora import RestoreInput, restore_inputs
from tests.kube_corpus import Scenario, scenarios

_SERVICE = re.compile(r'--comment "([^"/ ]+/[^": ]+)')


def accusations(text: str, source: str) -> list[str]:
    """What the audit holds against a text, in words."""
    return [told(finding) for finding in audit_text(text, source) if finding.severity is not Severity.INFO]


def told(finding: Finding) -> str:
    return (
        f"{finding.source}:{finding.line} {finding.severity.value} {finding.rule} {finding.service}: {finding.message}"
    )


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.id)
def test_healthy_dumps_are_not_accused(scenario: Scenario) -> None:
    found = [words for name, text in scenario.dumps.items() for words in accusations(text, f"{scenario.id}/{name}")]
    assert found == []


@pytest.mark.parametrize("scenario", scenarios()[::4], ids=lambda scenario: scenario.id)
def test_both_families_together_are_not_accused(scenario: Scenario) -> None:
    if scenario.ipv6 is None:
        pytest.skip("captured without IPv6")
    assert accusations(scenario.ipv4 + scenario.ipv6, scenario.id) == []


def fragments(text: str) -> Iterator[tuple[str, str]]:
    """What `iptables-save | grep NAMESPACE/NAME` leaves for each service."""
    by_service: dict[str, list[str]] = {}
    for line in text.splitlines(keepends=True):
        for name in set(_SERVICE.findall(line)):
            by_service.setdefault(name, []).append(line)
    for name, lines in by_service.items():
        yield name, "".join(lines)


# Where dumps are large, one service is as good as the next.
_ENOUGH = 6


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.id)
def test_what_grep_leaves_of_healthy_dumps_is_not_accused(scenario: Scenario) -> None:
    found = [
        words
        for _, (name, text) in zip(range(_ENOUGH), fragments(scenario.ipv4))
        for words in accusations(text, f"{scenario.id} {name}")
    ]
    assert found == []


@pytest.mark.parametrize("given", restore_inputs(), ids=lambda given: given.id)
def test_what_kube_proxy_hands_to_restore_is_not_accused(given: RestoreInput) -> None:
    assert accusations(given.text, given.id) == []
