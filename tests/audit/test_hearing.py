"""The audit hears faults: of the mutations that change what happens to traffic, nearly all get a finding in the right
place.
"""

from __future__ import annotations

from collections import Counter

import pytest

from ipt_explain.audit.findings.finding import Finding
from tests.audit.helpers import audit_text
from tests.audit.mutations import Mutation, mutations
from tests.kube_corpus import scenario

SCENARIOS = ("basic", "affinity", "nodeport", "loadbalancer", "policy", "ports")
VERSIONS = ("1.14", "1.18", "1.22", "1.24", "1.27", "1.30")
HEARD = 0.95
"""The share of mutations that must be heard."""


def is_hit(finding: Finding, mutation: Mutation) -> bool:
    """Whether a finding is about what the mutation touched."""
    named = finding.message
    return (
        finding.chain in mutation.chains
        or finding.service in mutation.services
        or any(name in named for name in mutation.chains | mutation.services)
    )


@pytest.mark.parametrize(("seed", "version"), list(enumerate(VERSIONS)))
def test_faults_are_heard_where_they_are(seed: int, version: str) -> None:
    heard: Counter[str] = Counter()
    missed: list[str] = []
    # Two scenarios of each release, so that each is tried in two releases.
    for name in SCENARIOS[seed % 3 :: 3]:
        text = scenario(version, name).ipv4
        before = {finding.fingerprint for finding in audit_text(text)}
        for mutation in mutations(text, seed):
            found = [finding for finding in audit_text(mutation.text) if finding.fingerprint not in before]
            if any(is_hit(finding, mutation) for finding in found):
                heard[mutation.name] += 1
            else:
                told = ", ".join(f"{finding.rule} {finding.chain}" for finding in found) or "nothing"
                missed.append(f"{name} {mutation.name}: {mutation.what} (found: {told})")
    total = heard.total() + len(missed)
    assert heard.total() >= HEARD * total, "\n".join([f"{len(missed)} of {total} missed", *missed])
