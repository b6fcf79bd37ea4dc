"""Targets and matches seen from outside: what a packet is behind a rule, and which rules it meets then."""

from __future__ import annotations

import pytest

from ipt_explain.records import replace
from ipt_explain.trace import Packet
from tests.trace.helpers import NODE, POD, go, only, save, shares

FROM_NODE = Packet(NODE, "10.96.0.10", "tcp", 80, entry="output")
ACCEPTED = ("ACCEPT", None, False)


@pytest.mark.parametrize(
    ("changes", "mark"),
    [
        ("MARK --set-xmark 0xf0/0xff|MARK --set-mark 0x3/0x1", "0xf3"),  # clears 0x1 and 0x2, then sets them
        ("MARK --set-xmark 0xf3/0xff|MARK --set-mark 0x3/0x1", "0xf3"),  # and does not flip them
        ("MARK --set-xmark 0xff/0xff|MARK --set-xmark 0x3/0x1", "0xfd"),  # as --set-xmark does
        ("MARK --set-xmark 0xff/0xff|MARK --and-mark 0x18", "0x18"),
        ("MARK --set-xmark 0xff/0xff|MARK --xor-mark 0x0f", "0xf0"),
        # Of 0xf0, 0x0f is cleared; then 0x11 is flipped.
        ("MARK --or-mark 17|CONNMARK --save-mark|MARK --set-mark 240|CONNMARK --restore-mark --nfmask 15", "0xe1"),
        ("CONNMARK --set-mark 240|MARK --or-mark 3|CONNMARK --save-mark --ctmask 1|CONNMARK --restore-mark", "0xf3"),
    ],
)
def test_marks_under_masks(changes: str, mark: str) -> None:
    lines = [f"mangle -A PREROUTING -j {change}" for change in changes.split("|")]
    told = go("\n".join([*lines, f"filter -A FORWARD -m mark --mark {mark} -j DROP"]))
    assert only(told)[0] == "DROP"


def test_a_policy_decides_in_a_chain_without_rules() -> None:
    assert only(go("filter -A INPUT -j ACCEPT", policies={"FORWARD": "DROP"}))[0] == "DROP"


@pytest.mark.parametrize("between", ["", "filter -A FORWARD -p udp -j ACCEPT"])
def test_packets_that_enter_a_chain_by_two_rules_are_added_up(between: str) -> None:
    jump = "filter -A FORWARD -m statistic --mode random --probability 0.5 -j A"
    rules = "\n".join(filter(None, [jump, between, jump, "filter -A A -j DROP"]))
    assert shares(go(rules)) == {("DROP", None, False): 0.75, ACCEPTED: 0.25}


def test_over_lo_the_connection_is_confirmed() -> None:
    to_itself = replace(FROM_NODE, destination=NODE)
    rules = "filter -A INPUT -m conntrack --ctstatus CONFIRMED -j DROP"
    assert only(go(rules, to_itself))[0] == "DROP"
    assert only(go(rules, replace(POD, destination=NODE)))[0] == "ACCEPT"


def test_output_knows_lo_for_what_the_node_sends_to_itself() -> None:
    rules = "filter -A OUTPUT -o lo -j DROP"
    assert only(go(rules, replace(FROM_NODE, destination=NODE)))[0] == "DROP"
    assert only(go(rules, FROM_NODE))[0] == "ACCEPT"


def test_before_connection_tracking_packets_are_invalid() -> None:
    rules = "raw -A PREROUTING -m conntrack --ctstate {} -j DROP"
    assert only(go(rules.format("INVALID")))[0] == "DROP"
    assert only(go(rules.format("NEW")))[0] == "ACCEPT"


def test_dnat_to_the_same_destination_does_not_count() -> None:
    rules = "nat -A PREROUTING -j DNAT --to-destination {}\nfilter -A FORWARD -m conntrack --ctstate DNAT -j DROP"
    assert only(go(rules.format("10.96.0.10"))) == ACCEPTED
    assert only(go(rules.format("10.96.0.10:81")))[0] == "DROP"


def test_redirect_of_what_the_node_sends_is_to_loopback() -> None:
    rules = "nat -A OUTPUT -p tcp -j REDIRECT --to-ports 15001"
    assert only(go(rules, FROM_NODE)) == ("ACCEPT", "127.0.0.1:15001", False)


def test_redirect_of_what_arrives_is_to_the_interfaces_own_address() -> None:
    rules = "nat -A PREROUTING -p tcp -j REDIRECT --to-ports 15001"
    known = ["192.0.2.10@eth0", "10.244.1.1@cni0"]
    assert only(go(rules, POD, local=known)) == ("ACCEPT", "10.244.1.1:15001", False)
    assert only(go(rules, POD, local=["192.0.2.10", "10.244.1.1"])) == ("ACCEPT", "local:15001", False)


def test_a_source_that_stays_counts_as_translated_if_the_port_changes() -> None:
    rules = "nat -A POSTROUTING -p tcp -j MASQUERADE{}\nfilter -A INPUT -m conntrack --ctstate SNAT -j DROP"
    to_itself = replace(FROM_NODE, destination=NODE)
    verdicts = {each: only(go(rules.format(each), to_itself))[0] for each in ("", " --random", " --random-fully", " --to-ports 99")}
    assert verdicts == {"": "ACCEPT", " --random": "DROP", " --random-fully": "DROP", " --to-ports 99": "DROP"}


def test_netmap_replaces_the_network_and_keeps_the_host() -> None:
    assert only(go("nat -A PREROUTING -j NETMAP --to 172.16.0.0/16")) == ("ACCEPT", "172.16.0.10:80", False)


def test_netmap_of_sources() -> None:
    rules = "nat -A POSTROUTING -j NETMAP --to 172.16.0.0/16\nfilter -A INPUT -s 172.16.2.10/32 -j DROP"
    assert only(go(rules, replace(FROM_NODE, destination=NODE)))[0] == "DROP"


def test_many_ports_of_which_one_is_chosen_at_random_stay_together() -> None:
    rules = "nat -A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:{} --random"
    assert len(shares(go(rules.format("8000-8063")))) == 64
    assert only(go(rules.format("8000-8064")))[1] == "10.0.0.1:8000-8064"


def test_an_address_of_the_other_family_leaves_open_what_the_rule_does() -> None:
    told = go("nat -A PREROUTING -p tcp -j DNAT --to-destination [fd00::1]:80")
    assert only(told)[0] == "UNKNOWN"


def test_ports_of_a_range_are_kept_where_they_lie_in_it() -> None:
    rules = "nat -A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:{}"
    assert only(go(rules.format("70-90")))[1] == "10.0.0.1:80"
    assert only(go(rules.format("8000-8003")))[1] == "10.0.0.1:8000"


def test_both_ends_of_a_range_of_addresses_lie_in_it() -> None:
    rules = "filter -A FORWARD -m iprange --src-range {} -j DROP"
    for span, verdict in (
        ("10.244.1.4-10.244.1.5", "DROP"), ("10.244.1.5-10.244.1.6", "DROP"), ("10.244.1.6-10.244.1.9", "ACCEPT"),
    ):  # fmt: skip
        assert only(go(rules.format(span)))[0] == verdict


def test_a_recorded_client_is_found_by_the_next_rule() -> None:
    rules = """
        filter -A FORWARD -m recent --set --name seen --rsource
        filter -A FORWARD -m recent --rcheck --name seen --rsource -j DROP
    """
    assert only(go(rules))[0] == "DROP"
    forgotten = rules.replace("--rcheck", "--remove").replace("-j DROP", "\nfilter -A FORWARD -m recent --rcheck --name seen --rsource -j DROP")
    assert only(go(forgotten))[0] == "ACCEPT"


def test_a_client_must_be_seen_as_often_as_a_rule_asks() -> None:
    seen = "filter -A FORWARD -m recent --{} --name seen --rsource"
    twice = "filter -A FORWARD -m recent --rcheck --hitcount 2 --name seen --rsource -j DROP"
    assert only(go("\n".join([seen.format("set"), seen.format("set"), twice])))[0] == "DROP"
    assert only(go("\n".join([seen.format("set"), seen.format("update"), twice])))[0] == "DROP"
    once = go("\n".join([seen.format("set"), twice]))  # entries of earlier connections may count, too
    assert {verdict for verdict, _, _ in shares(once)} == {"ACCEPT", "DROP"}


def test_an_address_that_is_found_where_it_must_not_be_counts_no_further_visit() -> None:
    """xt_recent.c updates an entry only where the rule matches."""
    seen = "filter -A FORWARD -m recent {} --name seen --rsource"
    twice = "filter -A FORWARD -m recent --rcheck --hitcount 2 --name seen --rsource -j DROP"
    told = go("\n".join([seen.format("--set"), seen.format("! --update"), twice]))
    assert {verdict for verdict, _, _ in shares(told)} == {"ACCEPT", "DROP"}


def test_whether_tproxy_finds_a_socket_no_dump_shows() -> None:
    told = go("mangle -A PREROUTING -p tcp -j TPROXY --on-port 15001 --on-ip 0.0.0.0 --tproxy-mark 0x1/0x1")
    assert only(told)[0] == "UNKNOWN"
    assert "whether a socket listens on port 15001" in str(told.outcomes[0])


_MANY = [f"filter -A FORWARD -d 10.9.0.{number}/32 -j DROP" for number in range(100)]


@pytest.mark.parametrize("place", [0, 40, 100])
@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        (["-d 10.96.0.10/32 -j REJECT"], "REJECT"),
        (["! -d 10.96.0.10/32 -j REJECT"], "ACCEPT"),
        (["! -d 10.96.0.11/32 -j REJECT"], "REJECT"),
        (["-d 10.96.0.0/12 -j REJECT"], "REJECT"),
        (["-p udp -j REJECT", "-p tcp -j REJECT"], "REJECT"),
        (["-d 10.96.0.10/32 -p udp -j DROP", "-d 10.96.0.10/32 -j REJECT"], "REJECT"),
        (["-d 10.96.0.10/32 -j MARK --set-xmark 0x1/0x1", "-d 10.96.0.10/32 -m mark --mark 0x1 -j REJECT"], "REJECT"),
        (["-s 10.244.0.0/16 -j ACCEPT", "-d 10.96.0.10/32 -j REJECT"], "ACCEPT"),
        (["-d 10.96.0.10/32 -j REJECT", "-s 10.244.0.0/16 -j ACCEPT"], "REJECT"),
    ],
)  # fmt: skip
def test_a_long_chain_runs_in_order(rules: list[str], verdict: str, place: int) -> None:
    lines = [*_MANY[:place], *(f"filter -A FORWARD {rule}" for rule in rules), *_MANY[place:]]
    assert only(go(save("\n".join(lines))))[0] == verdict


@pytest.mark.parametrize(
    "rules",
    [
        """mangle -A PREROUTING -j MARK --set-xmark 0x3/0xffffffff
        mangle -A PREROUTING -j CONNMARK --save-mark --nfmask 0x1 --ctmask 0xffffffff
        filter -A FORWARD -m connmark --mark 0x1 -j DROP""",
        """mangle -A PREROUTING -j CONNMARK --set-xmark 0x3/0xffffffff
        mangle -A PREROUTING -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0x1
        filter -A FORWARD -m mark --mark 0x1 -j DROP""",
        """mangle -A PREROUTING -j MARK --set-xmark 0x3/0xffffffff
        mangle -A PREROUTING -j CONNMARK --save-mark --left-shift-mark 4
        filter -A FORWARD -m connmark --mark 0x30 -j DROP""",
        """mangle -A PREROUTING -j CONNMARK --set-xmark 0x30/0xffffffff
        mangle -A PREROUTING -j CONNMARK --restore-mark --right-shift-mark 4
        filter -A FORWARD -m mark --mark 0x3 -j DROP""",
    ],
)
def test_marks_are_copied_under_the_mask_of_where_they_come_from(rules: str) -> None:
    assert only(go(rules))[0] == "DROP"


def test_an_untracked_packet_has_no_connection_mark() -> None:
    rules = """raw -A PREROUTING -j CT --notrack
        mangle -A PREROUTING -j CONNMARK --set-xmark 0x1/0x1
        mangle -A PREROUTING -j CONNMARK --restore-mark
        filter -A FORWARD -m mark --mark 0x1 -j DROP"""
    assert only(go(rules))[0] == "ACCEPT"


def test_the_first_template_of_a_connection_stays() -> None:
    def chosen(*zones: str) -> str | None:
        marked = "raw -A PREROUTING -j MARK --set-xmark 0x10005/0xffffffff"
        raw = "\n".join([marked, *(f"raw -A PREROUTING -j CT {zone}" for zone in zones)])
        return only(go(f"{raw}\nnat -A PREROUTING -j DNAT --to-destination 10.9.0.1-10.9.0.200"))[1]

    assert chosen("--zone 5") != chosen("--zone 9")
    assert chosen("--zone mark") == chosen("--zone 5")  # its lower sixteen bits
    assert chosen("--zone 5", "--zone 9") == chosen("--zone 5", "--notrack") == chosen("--zone 5")
