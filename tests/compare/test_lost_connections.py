"""Connections that a rule loses: a difference of its own, one a cause, in two dumps and between digests alike."""

from __future__ import annotations

from ipt_explain.compare.differences import DifferenceKind
from ipt_explain.compare.fleet.records.digest import digest_of, read_digest
from ipt_explain.compare.fleet.records.keys import RecordKey
from ipt_explain.compare.fleet.records.service_records import service_of
from tests.audit.test_lost_traffic import with_rule
from tests.compare.helpers import changed, compared, scenario, view, without

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


def test_a_rule_that_drops_what_is_for_one_node_drops_only_some() -> None:
    node = scenario("1.30/nodeport").ipv4
    dropping = changed(node, r"^(?=-A FORWARD )", "-A FORWARD -d 10.244.3.0/24 -j DROP\n")
    (found,) = [each for each in compared(node, dropping).differences if each.kind.value == "fate"]
    assert found.message.startswith("some connections to 8 service ports are dropped by filter FORWARD")


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
        service = service_of(RecordKey.of(key), record, digest.fabrics)
        told[service.label] = service.losses
    assert told == expected
    assert any(expected.values())


UNDECIDED = changed(HEALTHY, r"^(?=-A FORWARD )", "-A FORWARD -d 10.244.0.0/16 -j NFQUEUE --queue-num 0\n")
PERHAPS = changed(
    HEALTHY, r"^(?=-A FORWARD )", "-A FORWARD -d 10.244.0.0/16 -m time --timestart 01:00:00 --timestop 02:00:00 -j DROP\n"
)


def fates(before: str, after: str) -> list[str]:
    """The differences in fates, their cause or sentence."""
    found = [each for each in compared(before, after).differences if each.kind.value == "fate"]
    assert all(each.cause is not None and each.cause in each.message for each in found)
    return [each.message.partition(" (")[0] for each in found]


def test_connections_that_become_unknown_are_told_and_so_is_the_opposite() -> None:
    undecided = "left undecided by filter FORWARD: -A FORWARD -d 10.244.0.0/16 -j NFQUEUE --queue-num 0"
    assert fates(HEALTHY, UNDECIDED) == [f"connections to 3 service ports are {undecided}"]
    assert fates(UNDECIDED, HEALTHY) == [f"no longer in doubt: connections to 3 service ports that are {undecided}"]
    assert fates(UNDECIDED, UNDECIDED.replace("-m comment", "-m comment", 1)) == []


def test_connections_that_may_be_lost_are_told_without_a_share() -> None:
    found = [each for each in compared(HEALTHY, PERHAPS).differences if each.kind.value == "fate"]
    assert [each.message.partition(" by ")[0] for each in found] == ["connections to 3 service ports may be dropped"]
    single = changed(HEALTHY, r"^(?=-A FORWARD )", "-A FORWARD -d 10.244.1.2/32 -m time --weekdays Sun -j REJECT\n")
    single = single.replace("-A FORWARD -d 10.244.1.2/32", "-A FORWARD -d 10.244.1.2/32 -p tcp -m tcp --dport 9153")
    (found_single,) = [each for each in compared(HEALTHY, single).differences if each.kind.value == "fate"]
    assert found_single.message.startswith("connections to 10.96.0.10:9153 from pods and outside may be rejected by ")
    assert isinstance(found_single.after, list)
    assert [each["share"] for each in found_single.after if isinstance(each, dict)] == [None, None]


def test_what_healthy_nodes_leave_open_is_no_difference() -> None:
    by_interface = changed(HEALTHY, r"^(?=-A FORWARD )", "-A FORWARD -o docker0 -j DROP\n")
    assert fates(HEALTHY, by_interface) == []


def test_a_part_of_a_dump_leaves_nothing_in_doubt() -> None:
    part = "\n".join(line for line in HEALTHY.splitlines() if "kube-dns" in line or line.startswith("*nat"))
    assert fates(HEALTHY, part) == fates(part, HEALTHY) == []


def test_a_digest_records_doubts() -> None:
    for text in (UNDECIDED, PERHAPS):
        digest = digest_of(view(text))
        assert read_digest(digest.to_json(), "node.json") == digest
        told = [service_of(RecordKey.of(key), record, digest.fabrics) for key, record in digest.services.items()]
        assert {each.label: each.losses for each in told} == {each.label: each.losses for each in view(text).services.values()}
        assert any(cause.in_doubt for each in told for cause in each.losses)


def test_node_ports_at_addresses_that_are_left_out_are_not_in_doubt() -> None:
    node = scenario("1.22/cfg-nodeportaddr").ipv4
    after = with_rule(node, "mangle", "PREROUTING", "-i lo -j DROP")
    assert fates(node, after) == []


def test_a_missing_jump_to_kube_postrouting_is_told_with_what_it_breaks() -> None:
    text = scenario("1.30/nodeport").ipv4
    lacking = without(text, r"-A POSTROUTING .*-j KUBE-POSTROUTING")
    marks, hook = compared(text, lacking).differences
    assert (marks.kind, marks.service, hook.kind) == (DifferenceKind.MASQUERADE, None, DifferenceKind.HOOK)
    assert marks.message.startswith(
        "connections to 10 service ports are marked for masquerading but keep their source (nat POSTROUTING: no rule here "
        "jumps to KUBE-POSTROUTING): a pod that connects to itself through its Service gets no reply, nor does a client "
        "of a node port whose endpoint is on another node (default/kubernetes:https, "
    )
    again = compared(lacking, text).differences[0]
    assert again.message.startswith("masqueraded again: connections to 10 service ports that were marked for masquerading ")
    assert (marks.after, marks.before) == (again.before, None)


def test_without_node_ports_no_client_is_told_of() -> None:
    text = scenario("1.30/basic").ipv4
    marks = compared(text, without(text, r"-A POSTROUTING .*-j KUBE-POSTROUTING")).differences[0]
    assert "gets no reply (default/kubernetes:https, " in marks.message


def test_nothing_breaks_where_another_program_masquerades_too() -> None:
    text = changed(scenario("1.30/nodeport").ipv4, r"^(?=-A POSTROUTING )", "-A POSTROUTING -j MASQUERADE\n")
    found = compared(text, without(text, r"-A POSTROUTING .*-j KUBE-POSTROUTING")).differences
    assert [each.kind for each in found] == [DifferenceKind.HOOK]
