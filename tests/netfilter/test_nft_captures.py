"""Captured nodes of nftables mode: rules and sets send packets where the cluster's objects say."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ipt_explain.model import Family, nft
from ipt_explain.netfilter.header import parse_address
from ipt_explain.netfilter.packet import Node
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.parsing import read_dump
from tests.netfilter.nft_walk import Outcome, Walk, packet
from tests.nft_corpus import Listing, listings

PODS = {Family.IPV4: "10.244.1.199", Family.IPV6: "fd00:10:244:1::199"}
OUTSIDE = {Family.IPV4: "192.0.2.77", Family.IPV6: "2001:db8:77::1"}
NODE = {Family.IPV4: "192.168.50.11", Family.IPV6: "fd00:50::11"}
VERDICTS = {"dnat": Verdict.ACCEPT, "reject": Verdict.REJECT, "drop": Verdict.DROP}

CAPTURES = [each for each in listings() if each.truth is not None and each.name.endswith(("/nft-ruleset", ".sid"))]


def node(family: Family) -> Node:
    """The captured node: its own addresses are known."""
    return Node(local_addresses=frozenset({parse_address(NODE[family])}), out_interface="eth0")


def fate(
    ruleset: nft.Ruleset, family: Family, source: str, address: str, port: int, protocol: str
) -> dict[Outcome, Fraction]:
    """What becomes of a packet that arrives."""
    state, to = packet(family, source, address, port, protocol, node=node(family), in_interface="eth0")
    return Walk(ruleset, family).arrive(state, to, node(family).local_addresses)


def spread(found: dict[Outcome, Fraction]) -> dict[str, Fraction]:
    """The shares of endpoints."""
    shares: dict[str, Fraction] = {}
    for outcome, share in found.items():
        assert outcome.verdict is Verdict.ACCEPT
        shares[outcome.to] = shares.get(outcome.to, Fraction(0)) + share
    return shares


def evenly(endpoints: list[str]) -> dict[str, Fraction]:
    """Each endpoint its exact share."""
    return dict.fromkeys(endpoints, Fraction(1, len(endpoints)))


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda each: each.name)
def test_cluster_ips_are_served_as_the_objects_say(capture: Listing) -> None:
    ruleset = read_dump(capture.text).nft
    assert ruleset is not None
    for name, services in capture.truth["families"].items():
        family = Family(name.lower())
        for service in services:
            found = fate(ruleset, family, PODS[family], service["cluster_ip"], service["port"], service["protocol"])
            if service["internal_verdict"] == "dnat":
                assert spread(found) == evenly(service["endpoints"]), service["name"]
            else:
                assert {outcome.verdict for outcome in found} == {VERDICTS[service["internal_verdict"]]}, service[
                    "name"
                ]


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda each: each.name)
def test_external_addresses_are_served_as_the_objects_say(capture: Listing) -> None:
    ruleset = read_dump(capture.text).nft
    assert ruleset is not None
    if capture.truth["scenario"] == "conflict":
        return
    for name, services in capture.truth["families"].items():
        family = Family(name.lower())
        for service in services:
            for address, port in _external(service, family, capture.truth):
                found = fate(ruleset, family, OUTSIDE[family], address, port, service["protocol"])
                if service["external_verdict"] == "dnat" and not service["lb_source_ranges"]:
                    assert spread(found) == evenly(service["external_endpoints"]), (service["name"], address)
                    masqueraded = service["external_policy"] != "Local"
                    assert {outcome.masqueraded for outcome in found} == {masqueraded}, service["name"]
                elif service["external_verdict"] in ("reject", "drop"):
                    verdicts = {outcome.verdict for outcome in found}
                    assert verdicts <= {VERDICTS[service["external_verdict"]], Verdict.DROP}, (service["name"], address)


def _external(service: Any, family: Family, truth: Any) -> list[tuple[str, int]]:
    """The addresses and ports by which the outside reaches a Service; source ranges guard those of load balancers."""
    if service.get("external_verdict") is None:
        return []
    found = [(address, service["port"]) for address in (*service["lb_ips"], *service["external_ips"])]
    if service["node_port"] and truth["nodeport_addresses"] is None and truth["scenario"] != "v6-single":
        found.append((NODE[family], service["node_port"]))
    return found
