"""Endpoints on host networks: whether one is on this node is a question where that changes what becomes of packets."""

from __future__ import annotations

import json
from typing import Any

import pytest

import ipt_explain
from tests.audit.edits import policy
from tests.audit.helpers import findings_of
from tests.kube_corpus import scenario

SHARED = scenario("1.30", "shared").ipv4
HERE, ELSEWHERE, API = "192.168.50.11", "192.168.50.12", "192.168.50.10"
MY_ADDRESS = f"1: eth0    inet {HERE}/24 scope global eth0\n"


def _appended(table: str, *rules: str) -> str:
    head, section, tail = SHARED.partition(f"*{table}\n")
    return head + section + tail.replace("COMMIT\n", "\n".join((*rules, "COMMIT\n")), 1)


def _told(text: str, name: str = "host-net") -> Any:
    services = json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json())["services"]
    return next(service for service in services if service["name"] == name)


def _pod(text: str, name: str = "host-net", vantage: str = "pod") -> Any:
    return _told(text, name)["frontends"][0]["fates"][vantage]


def test_nothing_is_asked_where_it_makes_no_difference() -> None:
    assert (_pod(SHARED)["served"], _pod(SHARED)["open"]) == (1.0, [])
    accepted = _appended("filter", "-A INPUT -s 10.244.0.0/16 -j ACCEPT", "-A INPUT -j DROP")
    assert (_pod(accepted)["served"], _pod(accepted)["open"]) == (1.0, [])


@pytest.mark.parametrize("name", ["host-net", "kubernetes"])
def test_input_may_refuse_what_forward_lets_pass(name: str) -> None:
    fate = _pod(_appended("filter", "-A INPUT -j REJECT"), name)
    assert (fate["served"], fate["lost"]) == (None, [])
    asked = [API] if name == "kubernetes" else [HERE, ELSEWHERE]
    assert sorted(fate["open"]) == sorted(f"{each} is an address of this node" for each in asked)


def test_input_may_accept_what_forward_drops_but_from_the_api_server() -> None:
    text = policy(SHARED, "filter", "FORWARD", "DROP")
    assert _pod(text)["served"] is None
    assert _pod(text, "kubernetes")["served"] == 0.0
    assert _told(text, "kubernetes")["state"] == "blocked"


def test_the_nodes_own_connections_to_itself_pass_prerouting() -> None:
    fate = _pod(_appended("mangle", "-A PREROUTING -m addrtype --dst-type LOCAL -j DROP"), vantage="node")
    assert fate["served"] is None
    assert len(fate["open"]) == 2


def test_addresses_of_the_node_answer() -> None:
    text = _appended("filter", "-A INPUT -j REJECT") + MY_ADDRESS
    fate = _pod(text)
    assert (fate["served"], [each["how"] for each in fate["lost"]]) == (0.5, ["rejected"])
    assert {each["address"]: each["probability"] for each in _told(text)["endpoints"]} == {HERE: 0.0, ELSEWHERE: 0.5}
    assert _pod(text, "kubernetes")["served"] == 1.0


def test_the_audit_says_once_what_input_may_refuse() -> None:
    text = _appended("filter", "-A INPUT -m conntrack --ctstate NEW -j REJECT")
    (found,) = findings_of("IPT601", text)
    assert API in found.message
    assert findings_of("IPT120", text) == []


@pytest.mark.parametrize("name", ["host-net", "kubernetes"])
def test_a_trace_asks_what_explain_asks(name: str) -> None:
    text = _appended("filter", "-A INPUT -j REJECT")
    dump = ipt_explain.parse(text)
    frontend = _told(text, name)["frontends"][0]
    packet = ipt_explain.Packet(source="10.244.1.222", destination=frontend["address"], port=frontend["port"])
    outcomes = ipt_explain.trace(dump, packet).outcomes
    asked = {assumption.rpartition("=")[0] for outcome in outcomes for assumption in outcome.assumptions}
    assert asked == set(frontend["fates"]["pod"]["open"])
    known = ipt_explain.trace(dump, packet, local_addresses=[HERE]).outcomes
    assert not any(outcome.assumptions for outcome in known)


def test_a_trace_asks_nothing_where_no_rule_stops_packets() -> None:
    frontend = _told(SHARED)["frontends"][0]
    packet = ipt_explain.Packet(source="10.244.1.222", destination=frontend["address"], port=frontend["port"])
    outcomes = ipt_explain.trace(ipt_explain.parse(SHARED), packet).outcomes
    assert {(outcome.verdict, outcome.assumptions) for outcome in outcomes} == {("ACCEPT", ())}
