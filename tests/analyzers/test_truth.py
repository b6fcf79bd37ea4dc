"""What explain says of every captured dump, against what the API objects of that node made kube-proxy do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.parsing import read_dump
from tests.analyzers.truth import expected, found
from tests.kube_corpus import Scenario, scenarios

# kube-proxy up to 1.16 wrote probabilities with five digits; the kernel's 31 bits add less than 1e-9 to 1.17's ten.
_FIVE_DIGITS, _TEN_DIGITS = 8e-6, 2e-6


def _families(scenario: Scenario) -> list[tuple[str, str]]:
    texts = (("IPv4", scenario.ipv4), ("IPv6", scenario.ipv6))
    return [(family, text) for family, text in texts if text is not None]


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.id)
def test_services_are_those_of_the_cluster(scenario: Scenario) -> None:
    for family, text in _families(scenario):
        records = scenario.truth["families"].get(family) or []
        services = json.loads(explain(read_dump(text)).to_json())["services"]
        have = {(f"{each['namespace']}/{each['name']}", each["port_name"], each["protocol"]): each for each in services}
        want = {(each["service"], each["port_name"], each["protocol"]): each for each in records}
        assert have.keys() == want.keys()
        for key, record in want.items():
            _compare(scenario, expected(record), have[key])


def _compare(scenario: Scenario, want: dict[str, Any], service: dict[str, Any]) -> None:
    have = found(service, want)
    tolerance = _FIVE_DIGITS if scenario.version == "1.14" else _TEN_DIGITS
    assert have.pop("probabilities") == pytest.approx(want.pop("probabilities"), abs=tolerance)
    if scenario.version == "1.14" and "nocidr" in scenario.name:
        # Without a cluster CIDR, 1.14 gave pods and the node no way of their own past policy Local.
        want.pop("node_endpoints", None)
        have.pop("node_endpoints", None)
    assert have == want


def test_two_dumps_of_one_node_in_one_input_stay_apart() -> None:
    scenario = next(each for each in scenarios() if each.id == "1.30/dual-stack")
    assert scenario.ipv6 is not None
    explanation = explain(read_dump(scenario.ipv4 + scenario.ipv6))
    alone = explain(read_dump(scenario.ipv4)).services, explain(read_dump(scenario.ipv6)).services
    assert [each.family.value for each in explanation.rulesets] == ["ipv4", "ipv6"]
    assert [each.label for each in explanation.services] == [each.label for part in alone for each in part]
