"""Connections that a rule loses: a difference of its own, one a cause, in two dumps and between digests alike."""

from __future__ import annotations

from ipt_explain.compare.fleet.records.digest import digest_of, read_digest
from ipt_explain.compare.fleet.records.service_records import service_of
from tests.compare.helpers import changed, compared, scenario, view

HEALTHY = scenario("1.30/basic").ipv4
DROPPED = changed(HEALTHY, r"^(?=-A FORWARD )", "-A FORWARD -d 10.244.0.0/16 -m conntrack --ctstate NEW -j DROP\n")


def test_one_rule_that_drops_is_one_difference() -> None:
    found = [each for each in compared(HEALTHY, DROPPED).differences if each.kind.value == "fate"]
    assert [(each.service, each.subject, each.before) for each in found] == [(None, "filter FORWARD", None)]
    assert "are dropped by filter FORWARD: -A FORWARD -d 10.244.0.0/16 -m conntrack --ctstate NEW -j DROP" in found[0].message


def test_a_rule_that_stops_replies_is_one_difference() -> None:
    stopping = changed(HEALTHY, r"^(?=-A FORWARD )", "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j DROP\n")
    found = [each for each in compared(HEALTHY, stopping).differences if each.kind.value == "fate"]
    assert [(each.service, each.subject, each.before) for each in found] == [(None, "filter FORWARD", None)]
    assert found[0].message.startswith("connections to 4 service ports are cut off after their first packet by filter FORWARD")


def test_what_a_rule_drops_and_what_it_cuts_off_are_two() -> None:
    stopping = changed(HEALTHY, r"^(?=-A FORWARD )", "-A FORWARD -d 10.244.0.0/16 -j DROP\n")
    found = [each for each in compared(HEALTHY, stopping).differences if each.kind.value == "fate"]
    assert {each.service for each in found} == {None, "default/kubernetes:https"}  # its endpoint is no pod, its clients are
    assert any("connections to 3 service ports are dropped by filter FORWARD" in each.message for each in found)
    assert any("from pods are cut off after their first packet" in each.message for each in found)


def test_the_opposite_change_is_also_one_difference() -> None:
    found = [each for each in compared(DROPPED, HEALTHY).differences if each.kind.value == "fate"]
    assert [(each.service, each.after) for each in found] == [(None, None)]
    assert found[0].message.startswith("no longer lost: connections to 3 service ports that are dropped by filter FORWARD")


def test_a_single_service_s_loss_names_it() -> None:
    taken = changed(
        HEALTHY, r"^(?=-A PREROUTING )", "-A PREROUTING -d 10.96.0.10/32 -p udp -m udp --dport 53 -j DNAT --to-destination 192.0.2.1:53\n"
    )
    (found,) = [each for each in compared(HEALTHY, taken).differences if each.kind.value == "fate"]
    assert found.service == "kube-system/kube-dns:dns"
    assert "100 % of connections to 10.96.0.10:53 from pods and outside are sent elsewhere (192.0.2.1:53)" in found.message


def test_a_digest_records_losses() -> None:
    digest = digest_of(view(DROPPED))
    again = read_digest(digest.to_json(), "node.json")
    assert again == digest
    expected = {each.label: each.losses for each in view(DROPPED).services.values()}
    told = {}
    for key, record in digest.services.items():
        service = service_of(key, record, digest.fabrics)
        told[service.label] = service.losses
    assert told == expected
    assert any(expected.values())
