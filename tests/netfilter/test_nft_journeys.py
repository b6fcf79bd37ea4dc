"""The walker sends crowds through nftables as the reference walk sends single packets."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import pytest

from ipt_explain.model import Family
from ipt_explain.netfilter.header import format_endpoint, parse_address, protocol_number
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.backends.nft_path import NftStep
from ipt_explain.netfilter.walk.journey import Journey
from ipt_explain.netfilter.walk.stages import NodeRules
from ipt_explain.parsing import read_dump
from tests.netfilter.nft_walk import Outcome, Walk, packet
from tests.netfilter.test_nft_captures import CAPTURES, NODE, OUTSIDE, PODS, node
from tests.nft_corpus import Listing

Places = list[tuple[str, int, str]]


def _places(services: list[dict[str, object]], family: Family) -> Places:
    """Every address and port of the services, and some that nobody serves."""
    places: Places = [(str(each["cluster_ip"]), int(str(each["port"])), str(each["protocol"])) for each in services]
    places += [(address, 9, protocol) for address, _, protocol in places[:3]]
    for each in services:
        protocol = str(each["protocol"])
        places += [(str(ip), int(str(each["port"])), protocol) for ip in [*each["lb_ips"], *each["external_ips"]]]  # type: ignore[misc]
        if each["node_port"]:
            places.append((NODE[family], int(str(each["node_port"])), protocol))
    return places


@pytest.mark.parametrize("capture", CAPTURES[::4], ids=lambda each: each.name)
@pytest.mark.parametrize("vantage", ["pod", "node", "outside"])
def test_crowds_fare_as_single_packets_do(capture: Listing, vantage: str) -> None:
    ruleset = read_dump(capture.text).nft
    assert ruleset is not None
    for name, services in capture.truth["families"].items():
        family = Family(name.lower())
        source = {"pod": PODS, "node": NODE, "outside": OUTSIDE}[vantage][family]
        local = vantage == "node"
        places = _places(services, family)
        rules = NodeRules((), family, ruleset)
        for protocol in {protocol for _, _, protocol in places}:
            sent = [Heading(parse_address(address), port) for address, port, own in places if own == protocol]
            start, _ = packet(
                family, source, "::" if family is Family.IPV6 else "0.0.0.0", 0, protocol, local, node(family), "eth0"
            )
            journey = Journey(rules, sent)
            journey.begin(start)
            found: list[dict[Outcome, Fraction]] = [defaultdict(Fraction) for _ in sent]
            for finish, packets in journey.ends():
                for who, to, share in zip(packets.who, packets.to, packets.shares):
                    arrived = finish.verdict is Verdict.ACCEPT
                    text = ""
                    if finish.state.dnat and arrived:
                        assert isinstance(to.address, int)
                        text = format_endpoint(to.address, to.port, family)
                    masqueraded = finish.state.snat and arrived
                    found[who][Outcome(finish.verdict, text, masqueraded, finish.delivered)] += Fraction(share)
            for heading, outcomes in zip(sent, found):
                state, _ = packet(
                    family,
                    source,
                    "::" if family is Family.IPV6 else "0.0.0.0",
                    heading.port,
                    protocol,
                    local,
                    node(family),
                    "eth0",
                )
                walk = Walk(ruleset, family)
                wanted = (walk.depart if local else walk.arrive)(state, heading, node(family).local_addresses)
                assert dict(outcomes) == wanted, (vantage, heading, protocol_number(protocol))


@pytest.mark.parametrize("capture", CAPTURES[2::9], ids=lambda each: each.name)
def test_the_story_of_each_of_a_crowd_is_its_own(capture: Listing) -> None:
    ruleset = read_dump(capture.text).nft
    assert ruleset is not None
    for name, services in capture.truth["families"].items():
        family = Family(name.lower())
        places = [place for place in _places(services, family) if place[2] == "tcp"]
        sent = [Heading(parse_address(address), port) for address, port, _ in places]
        nowhere = "::" if family is Family.IPV6 else "0.0.0.0"
        start, _ = packet(family, PODS[family], nowhere, 0, "tcp", False, node(family), "eth0")
        together = _stories(NodeRules((), family, ruleset), sent, start)
        for number, heading in enumerate(sent):
            ((_, alone),) = _stories(NodeRules((), family, ruleset), [heading], start).items()
            assert together[number] == alone, heading


def _stories(rules: NodeRules, sent: list[Heading], start: PacketState) -> dict[int, dict[Heading, list[str]]]:
    """The rules that packets met on the way to each place where they end, by their number."""
    found: dict[int, dict[Heading, list[str]]] = defaultdict(dict)
    journey = Journey(rules, sent)
    journey.begin(start)
    for _, packets in journey.ends():
        for row, (who, to) in enumerate(zip(packets.who, packets.to)):
            path = packets.path(row)
            steps = () if path is None else path.steps()
            found[who][to] = [f"{step.chain.name}: {step.text}" for step in steps if isinstance(step, NftStep)]
    return found
