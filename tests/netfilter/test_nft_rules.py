"""What single nftables rules make of packets."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ipt_explain.model import Family, nft
from ipt_explain.netfilter.header import parse_address
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.nft import Leap, NftEvaluator, Way, stages
from ipt_explain.netfilter.nft.memory import earlier_visits
from ipt_explain.netfilter.packet import Bound, Heading, Node, Tracking
from ipt_explain.netfilter.targets import Flow, Verdict
from ipt_explain.netfilter.whereabouts import Whereabouts
from ipt_explain.parsing import read_dump
from tests.netfilter.nft_walk import packet

POD = "10.244.1.5"
NEW = {"tracking": Tracking.NEW}


def table(rule: str, sets: str = "", family: str = "ip") -> nft.Table:
    """A table with one rule in chain `c`."""
    ruleset = read_dump(f"table {family} t {{\n{sets}\tchain c {{\n\t\t{rule}\n\t}}\n}}\n").nft
    assert ruleset is not None
    (only,) = ruleset.tables.values()
    return only


def ways(
    rule: str, sets: str = "", family: str = "ip", to: str = "10.96.0.10", port: int | None = 80, **more: object
) -> tuple[Way, ...]:
    """What a rule makes of a tracked TCP packet."""
    known: dict[str, object] = {"family": Family.IPV4, "source": POD, "destination": to, "port": port, **NEW, **more}
    state, heading = packet(**known)  # type: ignore[arg-type]
    found = table(rule, sets, family)
    return NftEvaluator().ways(found, found.chains["c"].rules[0], state, Bound(heading, heading))


def matches(match: str, **more: object) -> bool | None:
    """Whether `match drop` drops; None where it asks."""
    found = ways(f"{match} drop", **more)  # type: ignore[arg-type]
    if len(found) > 1:
        assert {way.share for way in found} == {Fraction(1, 2)}
        return None
    return found[0].then is Verdict.DROP


@pytest.mark.parametrize(
    ("match", "holds"),
    [
        ("ip daddr 10.96.0.10", True),
        ("ip daddr != 10.96.0.0/16", False),
        ("ip daddr 10.96.0.5-10.96.0.20", True),
        ("ip6 daddr fd00::1", False),
        ("ip6 daddr != fd00::1", False),  # the packet has no such field: the rule ends
        ("ip daddr { 10.96.0.1, 10.96.0.10 }", True),
        ("ip daddr != { 10.96.0.1, 10.96.0.10 }", False),
        ("tcp dport 80", True),
        ("udp dport != 53", False),
        ("th dport 80", True),
        ("tcp dport 1-79", False),
        ("tcp dport > 79", True),
        ("meta l4proto tcp", True),
        ("meta l4proto != { tcp, udp }", False),
        ("ip protocol tcp", True),
        ("meta nfproto ipv4", True),
        ("meta protocol ip6", False),
        ("meta mark 0x00000000/1", True),
        ("meta mark & 0x00004000 == 0x00000000", True),
        ("meta mark 0x1", False),
        ("ct state new", True),
        ("ct state established,related", False),
        ("ct state { new, untracked }", True),
        ("ct state != invalid", True),
        ("ct status dnat", False),
        ("ct status ! dnat", True),
        ("ct status & dnat == 0", True),
        ("ct state ! new,untracked", False),
        ("tcp flags ! syn,rst", False),
        ("tcp flags ! fin,rst", True),
        ("ct direction original", True),
        ("ct original ip daddr 10.96.0.10", True),
        ("ct mark 0x0", True),
        ("tcp flags syn", True),
        ("tcp flags syn / fin,syn,rst,ack", True),
        ("tcp flags fin,syn / fin,syn", False),
        ("ip daddr . tcp dport 10.96.0.10 . 80", True),
        ("ip daddr . meta l4proto . th dport { 10.96.0.0/16 . tcp . 80-90 }", True),
        ("fib daddr type multicast", False),
        ("fib saddr type unicast", True),
        ("fib saddr type != { unicast, local }", False),
        ("meta pkttype unicast", True),
        ("meta pkttype { host, multicast }", True),
        ("ct original ip6 saddr != fd00::1", False),
        ("ip hdrlength > 5", False),
        ("ip frag-off & 0x1fff != 0", False),
        ("ip frag-off & 0x7fff != 0", None),  # whether it may be fragmented
        ("fib saddr type local", False),  # what arrives comes from elsewhere
        ("iifname lo", False),
        ("meta skuid 0", False),  # a packet that arrives has no socket
        ("rt type 0", False),  # packets of ordinary connections have no extension headers
        ("rt type != 0", False),
        ("frag id 5", False),
        ("ip option lsrr exists", False),
        ("ip option rr missing", True),
        ("sctp chunk init exists", False),
        ("tcp option sack-perm exists", None),
        ("tcp flags { fin, syn | ack }", False),
        ("tcp flags { syn, syn | ack }", True),
        ("exthdr frag exists", False),
        ("exthdr frag missing", False),  # nft adds that the packet is one of IPv6, and does not print it
        ("esp spi 5", False),
        ("tcp option maxseg size 1-500", None),
        ("limit rate 5/minute", None),
        ("quota over 5 mbytes", None),
        ("ct count over 20", None),
        ("fib daddr type local", None),
        ('iifname "eth0"', None),
        ("meta length > 100", None),
        ("ip saddr @hidden", None),
    ],
)
def test_matches(match: str, holds: bool | None) -> None:
    assert matches(match) is holds


def test_bit_31_of_the_mark_prints_as_a_prefix() -> None:
    assert matches("meta mark 0x00000000/1", mark=0x7FFFFFFF) is True
    assert matches("meta mark 0x00000000/1", mark=0x80000000) is False
    assert matches("meta mark 0x80000000/1", mark=0x80000001) is True


def test_output_shows_no_interface_that_a_packet_came_by() -> None:
    assert matches('iifname != "cni0"', local=True) is True
    assert matches('iif != "cni0"', local=True) is True
    assert matches("fib saddr . iif oif missing", in_interface="lo") is False
    assert matches("fib saddr . iif oif missing", in_interface="eth0") is None
    assert matches('iifname "veth*"', in_interface="veth1") is True
    assert matches("iif 7", in_interface="veth1") is False  # the interface of that index is gone


def test_statements_run_in_order_and_not_behind_one_that_fails() -> None:
    set_then_tested = "meta mark set 0x4000 meta mark & 0x4000 == 0x4000 drop"
    assert ways(set_then_tested)[0].then is Verdict.DROP
    (failed,) = ways("meta mark set 0x1 udp dport 53 meta mark set 0x2 drop")
    assert (failed.then, failed.matched, failed.state.mark) == (Flow.CONTINUE, False, 1)
    (toggled,) = ways("meta mark & 0x4000 != 0 meta mark set meta mark ^ 0x4000 masquerade fully-random", mark=0x4001)
    assert (toggled.then, toggled.state.mark, toggled.state.snat) == (Verdict.ACCEPT, 1, True)


def test_questions_before_an_effect_are_answered_before_it() -> None:
    found = ways('iifname "eth0" meta mark set 0x1 limit rate 5/second drop')
    assert sum(way.share for way in found) == 1
    assert [(way.share, way.state.mark, way.then) for way in found if way.matched] == [
        (Fraction(1, 4), 1, Verdict.DROP)
    ]
    assert {(way.share, way.state.mark) for way in found if not way.matched} == {
        (Fraction(1, 2), 0),
        (Fraction(1, 4), 1),
    }


def test_verdict_maps_jump_per_packet() -> None:
    rule = "ip daddr . meta l4proto . th dport vmap @services"
    sets = """\
\tmap services {
\t\ttype ipv4_addr . inet_proto . inet_service : verdict
\t\telements = { 10.96.0.10 . tcp . 80 : goto service-a,
\t\t\t     10.96.0.10 . udp . 53 comment "x" : drop }
\t}
"""
    assert ways(rule, sets)[0].then == Leap("service-a", goto=True)
    assert ways(rule, sets, port=53, protocol="udp")[0].then is Verdict.DROP
    (missed,) = ways(rule, sets, port=81)
    assert (missed.then, missed.matched) == (Flow.CONTINUE, False)
    (icmp,) = ways(rule, sets, port=None, protocol="icmp")  # whatever stands in place of its ports
    assert not icmp.matched


def test_numgen_is_even_over_its_modulus_whatever_the_map_has() -> None:
    found = ways("numgen random mod 3 vmap { 0 : goto a, 2 : goto b }")
    assert [(way.share, way.then) for way in found if way.matched] == [
        (Fraction(1, 3), Leap("a", goto=True)),
        (Fraction(1, 3), Leap("b", goto=True)),
    ]
    assert [way.share for way in found if not way.matched] == [Fraction(1, 3)]
    (third,) = (way for way in ways("meta random & 2147483647 < 715827883 drop") if way.matched)
    assert third.share == Fraction(715827883, 1 << 31)


def test_dnat_by_a_map_of_addresses_and_ports() -> None:
    found = ways("meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.244.1.2 . 8080, 1 : 10.244.1.3 . 8443 }")
    assert {(way.share, way.then, way.to.port) for way in found} == {
        (Fraction(1, 2), Verdict.ACCEPT, 8080),
        (Fraction(1, 2), Verdict.ACCEPT, 8443),
    }
    assert all(way.state.dnat and way.state.destination_decided for way in found)


@pytest.mark.parametrize(
    ("reject", "more", "refused"),
    [
        ("reject", {}, True),
        ("reject with icmp port-unreachable", {}, True),
        ("reject with icmpx admin-prohibited", {}, True),
        ("reject with icmpv6 port-unreachable", {}, False),  # as nft prints `meta nfproto ipv6 reject`
        ("reject with icmpv6 no-route", {}, False),
        ("reject with tcp reset", {}, True),
        ("reject with tcp reset", {"protocol": "udp"}, False),
    ],
)
def test_an_answer_is_for_packets_that_it_can_answer(reject: str, more: dict[str, object], refused: bool) -> None:
    (way,) = ways(reject, family="inet", **more)  # type: ignore[arg-type]
    assert (way.then is Verdict.REJECT) is refused


def test_what_is_written_at_random_is_told_apart() -> None:
    found = ways("meta mark set numgen random mod 4 offset 16")
    assert [(way.share, way.state.mark, way.then) for way in found] == [
        (Fraction(1, 4), mark, Flow.CONTINUE) for mark in (16, 17, 18, 19)
    ]


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ("meta priority set (@nh,8,8 & 0xfc) >> 2 map @classes", Flow.CONTINUE),
        ("meta priority set (@nh,8,8 & 0xfc) >> 2 accept", Verdict.ACCEPT),
        ("meta priority set 1:10 accept", Verdict.ACCEPT),
        ("meta mark set something odd drop", Verdict.UNKNOWN),
        ("dnat ip to 10.0.0.1:numgen random mod 2 map { 0 : 8080, 1 : 8081 }", Verdict.UNKNOWN),
        ("tcp dport 80 redirect to :tcp dport map { 80 : 8080 }", Verdict.UNKNOWN),
    ],
)
def test_what_a_statement_lacks_is_not_taken_for_another(rule: str, verdict: Flow | Verdict) -> None:
    (way,) = ways(rule)
    assert way.then is verdict


@pytest.mark.parametrize(
    "aside",
    [
        "last",
        "last used never",
        "last used 3m2s",
        "dup to 10.0.0.1",
        'dup to 10.0.0.1 device "eth0"',
        "reset tcp option sack-perm",
    ],
)
def test_what_does_not_change_a_packets_way_is_passed(aside: str) -> None:
    (way,) = ways(aside)
    assert (way.then, way.matched) == (Flow.CONTINUE, True)
    (way,) = ways(f"tcp dport 80 {aside} drop")
    assert way.then is Verdict.DROP


def test_nat_of_another_family_ends_the_rule() -> None:
    (way,) = ways("dnat ip6 to [fd00::1]:80", family="inet")
    assert not way.matched


def test_redirect_leads_to_the_node_itself() -> None:
    (sent,) = ways("redirect to :15001", local=True)
    assert (sent.to.address, sent.to.port) == (parse_address("127.0.0.1"), 15001)
    (arrived,) = ways("redirect to :15001")
    assert arrived.to == Heading(None, 15001)


def test_a_client_is_remembered_by_the_sets_that_rules_update() -> None:
    sets = "\tset seen {\n\t\ttype ipv4_addr\n\t\tflags dynamic,timeout\n\t\ttimeout 3h\n\t}\n"
    assert matches("ip saddr @seen", sets=sets) is False
    (updated,) = ways("update @seen { ip saddr } ip saddr @seen dnat to 10.244.1.2:8080", sets)
    assert updated.then is Verdict.ACCEPT
    visits = earlier_visits(
        table("update @seen { ip saddr } dnat to 10.244.1.2:8080", sets),
        Heading(parse_address("10.244.1.2"), 8080),
        parse_address(POD),
    )
    assert matches("ip saddr @seen", sets=sets, visits=visits) is True


def test_elements_that_are_left_out_make_a_set_unknown() -> None:
    sets = "\tset s {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.1, ... }\n\t}\n"
    assert matches("ip daddr @s", sets=sets) is None
    assert matches("ip daddr @s", sets=sets, to="10.0.0.1") is True


def test_an_address_known_in_part_is_asked_about_where_it_matters() -> None:
    somewhere = Whereabouts("a pod", Family.IPV4, within=((parse_address("10.244.0.0"), 0xFFFF0000),), ordinary=True)
    assert matches("ip saddr 10.244.0.0/16", source=somewhere) is True
    assert matches("ip saddr != 10.244.0.0/16", source=somewhere) is False
    assert matches("ip saddr 10.244.1.2", source=somewhere) is False
    assert matches("ip saddr 10.244.1.0/24", source=somewhere) is None
    assert matches("ip saddr { 10.244.1.0/24, 192.0.2.1 }", source=somewhere) is None
    assert matches("ip saddr { 10.0.0.0/8, 192.0.2.1 }", source=somewhere) is True


def test_an_address_known_in_part_is_compared_with_ranges() -> None:
    pod = Whereabouts("a pod", Family.IPV4, within=((10 << 24 | 244 << 16, 0xFFFF0000),))
    assert matches("ip saddr 10.9.0.1-10.9.0.9", source=pod) is False
    assert matches("ip saddr 10.240.0.0-10.250.0.0", source=pod) is True
    assert matches("ip saddr 10.244.1.1-10.244.1.9", source=pod) is None


def test_whether_an_address_is_the_nodes_is_one_question_everywhere() -> None:
    node = Node(assumed=(("10.96.0.10 is an address of this node", True),))
    assert matches("fib daddr type local", node=node) is True
    assert matches("fib daddr type != local", node=node) is False
    assert matches("fib daddr type unicast", node=node) is False
    assert matches("fib daddr type { local, broadcast }", node=node) is True


def test_limits_read_alike_are_asked_apart() -> None:
    (matched, _) = ways("limit rate 5/minute drop")
    (assumed,) = matched.state.answers
    assert assumed.question == "limit rate 5/minute (line 3)"


def test_unknown_interfaces_are_asked_one_by_one() -> None:
    found = ways('iifname vmap { "docker0" : jump d, "br-1" : jump b }')
    assert [way.then for way in found if way.matched] == [Leap("d", goto=False), Leap("b", goto=False)]
    assert sum(way.share for way in found) == 1


def test_what_is_not_known_is_unknown_and_named() -> None:
    (way,) = ways("queue flags bypass to 5")
    assert (way.then, way.reason) == (Verdict.UNKNOWN, "what `queue flags bypass to 5` does")
    (target,) = ways('xt target "CT"')
    assert target.then is Verdict.UNKNOWN
    (mark,) = ways("meta mark set meta priority")
    assert mark.then is Verdict.UNKNOWN
    assert matches("something new 5") is None
    assert ways('xt match "comment" drop')[0].then is Verdict.DROP


def test_rejects_returns_and_untracked_packets() -> None:
    assert ways("reject with icmp port-unreachable")[0].then is Verdict.REJECT
    assert ways("return")[0].then is Flow.RETURN
    assert ways('counter packets 1 bytes 2 log prefix "x" continue')[0].then is Flow.CONTINUE
    (untracked,) = ways("notrack", tracking=Tracking.NOT_YET)
    assert untracked.state.tracking is Tracking.UNTRACKED
    assert matches("ct state untracked", tracking=Tracking.UNTRACKED) is True
    assert matches("ct mark != 0x5", tracking=Tracking.UNTRACKED) is False


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        ("ip daddr 10.0.0.1 drop", True),
        ("tcp dport 80 drop", True),
        ("ip saddr 10.0.0.1 ct state new jump x", False),
        ("meta mark set meta mark | 0x4000", False),
        ("masquerade fully-random", False),
        ("dnat to 10.0.0.1", True),
        ("numgen random mod 2 vmap { 0 : goto a, 1 : goto b }", False),
        ("ip daddr . meta l4proto . th dport vmap @s", True),
        ("fib daddr type local drop", True),
        ("update @s { ip saddr }", False),
        ("meta mark set ip daddr map { 10.0.0.1 : 0x1 }", True),
    ],
)
def test_which_rules_look_where_a_packet_is_bound_for(rule: str, asks: bool) -> None:
    assert NftEvaluator().asks_where_to(table(rule).chains["c"].rules[0]) is asks


def test_stages_stand_by_priority_and_nat_at_the_kernels_own() -> None:
    text = """\
table ip a {
\tchain early {
\t\ttype filter hook prerouting priority dstnat - 10; policy accept;
\t}

\tchain late-nat {
\t\ttype nat hook prerouting priority 50; policy accept;
\t}
}
table inet b {
\tchain nat {
\t\ttype nat hook prerouting priority dstnat; policy accept;
\t}

\tchain between {
\t\ttype filter hook prerouting priority 0; policy drop;
\t}
}
table ip6 c {
\tchain six {
\t\ttype filter hook prerouting priority 0; policy accept;
\t}
}
table ip d {
\tflags dormant

\tchain asleep {
\t\ttype filter hook prerouting priority 0; policy drop;
\t}
}
"""
    ruleset = read_dump(text).nft
    assert ruleset is not None
    found = stages(ruleset, Family.IPV4)[Hook.PREROUTING]
    assert [stage.chain.name for stage in found] == ["early", "nat", "late-nat", "between"]
    assert [stage.priority for stage in found] == [-110, -100, -100, 0]
    assert [stage.drops for stage in found] == [False, False, False, True]
    assert [stage.chain.name for stage in stages(ruleset, Family.IPV6)[Hook.PREROUTING]] == ["nat", "six", "between"]


def test_a_set_is_searched_by_the_parts_of_a_key_that_are_known() -> None:
    """The client is not known, so each element with the destination's other parts may be the one."""
    elements = "10.244.1.5 . 10.96.0.10 . 80, 10.244.1.5 . 10.96.0.11 . 80, 10.0.0.0/8 . 10.96.0.0/16 . 80-90"
    sets = f"\tset s {{\n\t\ttype ipv4_addr . ipv4_addr . inet_service\n\t\tflags interval\n\t\telements = {{ {elements} }}\n\t}}\n"
    rule = "ip saddr . ip daddr . th dport @s"
    somebody = Whereabouts("somebody", Family.IPV4)
    assert matches(rule, sets=sets) is True
    assert matches(rule, sets=sets, to="10.96.0.12") is True
    assert matches(rule, sets=sets, to="10.97.0.12") is False
    assert matches(rule, sets=sets, source=somebody) is None
    assert matches(rule, sets=sets, source=somebody, to="10.96.0.12") is None
    assert matches(rule, sets=sets, source=somebody, to="10.97.0.12") is False
    assert matches(rule, sets=sets, source=somebody, port=91) is False
