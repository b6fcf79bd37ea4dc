"""A healthy node beside the stock rules of other tools: one story of it, whichever of them comes first.

Some of those rules do lose Service traffic, or lose it unless it comes by an interface that no dump names (Docker's
FORWARD drops what no rule accepts): then the audit says so.
"""

from __future__ import annotations

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.model import Dump
from ipt_explain.parsing import read_dump
from ipt_explain.services.fates import Loss
from ipt_explain.services.ports import FrontendKind
from tests.archives import read_archive
from tests.audit.test_lost_traffic import accused, disagreements, losing, told

NEIGHBOURS = {name.removesuffix(".txt"): content.decode() for name, content in read_archive("neighbours").items()}


def may_lose(dump: Dump) -> bool:
    """Whether connections of pods or of the node to ClusterIPs are lost under some answer to an open question."""
    return any(
        frontend.kind is FrontendKind.CLUSTER_IP and (frontend.fates.pod.perhaps or frontend.fates.node.perhaps)
        for service in explain(dump).services
        for frontend in service.frontends
        if frontend.fates is not None
    )


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_one_story(name: str) -> None:
    dump = read_dump(NEIGHBOURS[name])
    assert disagreements(dump, seed=1, count=4) == []
    if losing(dump):
        assert accused(dump)
    elif not may_lose(dump):
        assert told(dump) == []


@pytest.mark.parametrize("tool", sorted({name.rsplit("-", 1)[0] for name in NEIGHBOURS}))
def test_what_is_lost_is_lost_wherever_the_tool_puts_its_rules(tool: str) -> None:
    """No stock rule takes Service traffic because it comes first, but for NodeLocal DNS, whose work that is."""
    ahead, behind = (read_dump(NEIGHBOURS[f"{tool}-{place}"]) for place in ("ahead", "behind"))
    assert losing(ahead) == losing(behind)


@pytest.mark.parametrize("place", ["ahead", "behind"])
def test_who_answers_dns_on_the_node_takes_nothing_away(place: str) -> None:
    dump = read_dump(NEIGHBOURS[f"nodelocaldns-{place}"])
    dns = [service for service in explain(dump).services if service.name == "kube-dns" and service.port_name != "metrics"]
    fates = [frontend.fates.pod for service in dns for frontend in service.frontends if frontend.fates is not None]
    assert {(lost.how, lost.why) for fate in fates for lost in fate.lost} == {
        (Loss.INTERCEPTED, "node-local-dns answers it")
    }
    assert told(dump) == []


@pytest.mark.parametrize("pods", [0, 1, 2, 3, 5, 9])
def test_a_policy_that_pods_may_come_past_is_not_accused(pods: int) -> None:
    lines = NEIGHBOURS["docker-behind"].splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("-A FORWARD"))
    accepted = [f"-A FORWARD -i cali{number} -j ACCEPT" for number in range(pods)]
    dump = read_dump("\n".join([*lines[: last + 1], *accepted, *lines[last + 1 :], ""]))
    assert ("IPT601" in accused(dump)) is (pods == 0)
