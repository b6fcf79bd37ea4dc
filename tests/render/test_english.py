from __future__ import annotations

import pytest

from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.rule import RuleWriter, rule_words
from ipt_explain.render.english.wording import deny
from ipt_explain.words.durations import duration
from ipt_explain.words.quotes import clipped
from tests.render.english_rules import parsed, sentence

SENTENCES = [
    (
        "-s 10.0.0.0/8 -j ACCEPT",
        "If a packet comes from 10.0.0.0/8, it is accepted.",
    ),
    (
        "! -s 10.244.0.0/16 -d 10.96.0.10/32 -p udp -m udp --dport 53 -j KUBE-MARK-MASQ",
        "If a packet is UDP, does not come from 10.244.0.0/16, goes to 10.96.0.10 and has destination port 53, it jumps to chain KUBE-MARK-MASQ, and goes on to the next rule if it comes back.",
    ),
    (
        "! -i cni0 -o eth+ -j DROP",
        'If a packet does not arrive on interface cni0 and leaves by an interface whose name starts with "eth" (eth+), it is silently dropped.',
    ),
    (
        "! -p tcp -j RETURN",
        "If a packet is not TCP, it leaves this chain, and its policy applies.",
    ),
    (
        "-m statistic --mode random --probability 0.33332999982 -j KUBE-SEP-A",
        "If a packet is picked at random, with a chance of 33.332999982 % (715820724 of 2^31 in the kernel), it jumps to chain KUBE-SEP-A, and goes on to the next rule if it comes back.",
    ),
    (
        "-m statistic --mode random ! --probability 0.25000000000 -j KUBE-SEP-A",
        "If a packet is left over by a random pick of 25 %, with a chance of 75 % (1610612736 of 2^31 in the kernel), it jumps to chain KUBE-SEP-A, and goes on to the next rule if it comes back.",
    ),
    (
        "-m statistic --mode random --probability 1.00000000000 -j KUBE-SEP-A",
        "If a packet is picked at random, with a chance of 100 % (2147483648 of 2^31 in the kernel, so always), it jumps to chain KUBE-SEP-A, and goes on to the next rule if it comes back.",
    ),
    (
        "-m statistic --mode random --probability 1e-3 -j KUBE-SEP-A",
        "If a packet is picked at random, with a chance of 0.1 % (2147484 of 2^31 in the kernel), it jumps to chain KUBE-SEP-A, and goes on to the next rule if it comes back.",
    ),
    (
        "-m statistic --mode nth --every 3 --packet 1 -j KUBE-SEP-A",
        "If a packet is packet 1 of every 3 (counting from 0, mode nth), it jumps to chain KUBE-SEP-A, and goes on to the next rule if it comes back.",
    ),
    (
        "-m mark ! --mark 0x4000/0x4000 -j RETURN",
        "If a packet has mark bit 0x4000 (the masquerade mark) clear, it leaves this chain, and its policy applies.",
    ),
    (
        "-m mark --mark 0x8000/0x8000 -j DROP",
        "If a packet has mark bit 0x8000 (the drop mark) set, it is silently dropped.",
    ),
    (
        "-m mark --mark 0x0/0xffff0000 -j ACCEPT",
        "If a packet has mark bits 0xffff0000 clear (0x0/0xffff0000), it is accepted.",
    ),
    (
        "-m mark --mark 0x3/0x1 -j ACCEPT",
        "If a packet has mark 0x3/0x1 (never true: the mask leaves out bits of the value), it is accepted.",
    ),
    (
        "-m mark --mark 0x0 -j ACCEPT",
        "If a packet has no mark (0x0), it is accepted.",
    ),
    (
        "-m mark --mark 0x10/0xf0 -j ACCEPT",
        "If a packet has mark bits 0xf0 equal to 0x10 (0x10/0xf0), it is accepted.",
    ),
    (
        "-j MARK --set-xmark 0x4000/0x4000",
        "Every packet gets mark bit 0x4000 (the masquerade mark) set, and goes on to the next rule.",
    ),
    (
        "-j MARK --set-xmark 0x4000/0x0",
        "Every packet gets mark bit 0x4000 (the masquerade mark) toggled (--set-xmark 0x4000/0x0), and goes on to the next rule.",
    ),
    (
        "-j MARK --set-xmark 0x0/0x4000",
        "Every packet gets mark bit 0x4000 (the masquerade mark) cleared (--set-xmark 0x0/0x4000), and goes on to the next rule.",
    ),
    (
        "-j MARK --set-mark 0x1",
        "Every packet gets its whole mark set to 0x1 (--set-mark 0x1), and goes on to the next rule.",
    ),
    (
        "-j MARK --or-mark 0x00004000",
        "Every packet gets mark bit 0x4000 (the masquerade mark) set (--or-mark 0x00004000), and goes on to the next rule.",
    ),
    (
        "-j MARK --and-mark 0xffffbfff",
        "Every packet gets mark bit 0x4000 (the masquerade mark) cleared (--and-mark 0xffffbfff), and goes on to the next rule.",
    ),
    (
        "-j MARK --xor-mark 0x4000",
        "Every packet gets mark bit 0x4000 (the masquerade mark) toggled (--xor-mark 0x4000), and goes on to the next rule.",
    ),
    (
        "-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff",
        "Every packet gets its mark from the connection's mark (nfmask 0xff, ctmask 0xff), and goes on to the next rule.",
    ),
    (
        "-m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-A --mask 255.255.255.255 --rsource -j KUBE-SEP-A",
        'If a packet has its source address (mask 255.255.255.255) in list "KUBE-SEP-A", noted within the last 3 h (10800 s) (an outdated entry is removed), it jumps to chain KUBE-SEP-A, and goes on to the next rule if it comes back.',
    ),
    (
        "-p tcp -m recent --set --name KUBE-SEP-A --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.244.1.9:8080",
        'If a packet is TCP and has its source address (mask 255.255.255.255) noted in list "KUBE-SEP-A" (which always matches), it gets its destination rewritten to 10.244.1.9:8080 (DNAT), and the rest of its connection follows.',
    ),
    (
        "-m recent ! --rcheck --seconds 60 --hitcount 4 --name ssh --rsource -j ACCEPT",
        'If a packet does not have its source address in list "ssh", noted at least 4 times within the last 1 min (60 s), it is accepted.',
    ),
    (
        "-p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset",
        "If a packet is TCP and has destination port 80, it is rejected with a TCP reset (tcp-reset).",
    ),
    (
        "-j REJECT --reject-with icmp-port-unreachable",
        "Every packet is rejected: the sender is told that the port is unreachable (icmp-port-unreachable).",
    ),
    (
        "-p tcp -j MASQUERADE --random-fully",
        "If a packet is TCP, it gets its source rewritten to the address of the interface it leaves by (MASQUERADE), with a port fully at random (--random-fully), and the rest of its connection follows.",
    ),
    (
        "-j SNAT --to-source 192.0.2.1-192.0.2.9 --persistent",
        "Every packet gets its source rewritten to 192.0.2.1-192.0.2.9 (SNAT), with one client kept on one address (--persistent), and the rest of its connection follows.",
    ),
    (
        "-p tcp -j REDIRECT --to-ports 15001",
        "If a packet is TCP, it is redirected to this node itself, port 15001 (REDIRECT), and the rest of its connection follows.",
    ),
    (
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "If a packet belongs to a known connection, or to one that such a connection expects (state RELATED or ESTABLISHED), it is accepted.",
    ),
    (
        "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
        "If a packet has a connection state other than RELATED, ESTABLISHED or DNAT, it is silently dropped.",
    ),
    (
        "-m conntrack --ctstate INVALID -j DROP",
        "If a packet fits no connection (state INVALID), it is silently dropped.",
    ),
    (
        "-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS",
        "If a packet has a destination address of type LOCAL (this node's own), it jumps to chain KUBE-NODEPORTS, and goes on to the next rule if it comes back.",
    ),
    (
        "-m addrtype ! --src-type LOCAL -j DOCKER",
        "If a packet does not have a source address of type LOCAL (this node's own), it jumps to chain DOCKER, and goes on to the next rule if it comes back.",
    ),
    (
        "-m set ! --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT",
        'If a packet is not in set "KUBE-CLUSTER-IP" by its destination (dst,dst), it is accepted.',
    ),
    (
        "-p tcp -m multiport --dports 22,80,8000:8080 -j ACCEPT",
        "If a packet is TCP and has destination port 22, 80 or 8000:8080, it is accepted.",
    ),
    (
        "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT",
        "If a packet is TCP and has only SYN of the TCP flags FIN,SYN,RST,ACK set (it opens a connection), it is accepted.",
    ),
    (
        '-m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] " --log-level 4',
        'If a packet is within the limit of 3/min (burst 10), it is logged (prefix "[UFW BLOCK] ", level 4 (warning)), and goes on to the next rule.',
    ),
    (
        "-m time --timestart 09:00:00 --timestop 17:00:00 --weekdays Mon,Fri --datestop 2038-01-19T03:14:07 -j ACCEPT",
        "If a packet passes between 09:00:00 and 17:00:00, passes on Mon or Fri and passes until 2038-01-19T03:14:07 (the latest that the kernel can hold) (by UTC), it is accepted.",
    ),
    (
        "-p icmp -m icmp --icmp-type 8 -j ACCEPT",
        "If a packet is ICMP and has ICMP type 8 (echo request), it is accepted.",
    ),
    (
        "-p icmp -m icmp --icmp-type 3/4 -j ACCEPT",
        "If a packet is ICMP and has ICMP type 3, code 4 (fragmentation needed), it is accepted.",
    ),
    (
        "-p icmp -m icmp ! --icmp-type port-unreachable -j ACCEPT",
        "If a packet is ICMP and does not have ICMP type 3, code 3 (port unreachable), it is accepted.",
    ),
    (
        "-p tcp -j DNAT --to-destination 10.0.0.1:1000-1010/3000",
        "If a packet is TCP, it gets its destination rewritten to 10.0.0.1:1000-1010, each port shifted by as much (3000 becomes 1000, 3001 becomes 1001) (DNAT), and the rest of its connection follows.",
    ),
    (
        "-p tcp -j REDIRECT --to-ports 8080-8090",
        "If a packet is TCP, it is redirected to this node itself, a port of 8080-8090 (REDIRECT), and the rest of its connection follows.",
    ),
    (
        "-m physdev ! --physdev-is-in -j ACCEPT",
        "If a packet did not arrive by a bridge port, it is accepted.",
    ),
    (
        "-d 127.0.0.0/8 -m nfacct --nfacct-name  localhost_nps_accepted_pkts -j KUBE-EXT-A",
        'If a packet goes to 127.0.0.0/8 and is counted by the accounting object "localhost_nps_accepted_pkts" (which matches always), it jumps to chain KUBE-EXT-A, and goes on to the next rule if it comes back.',
    ),
    (
        "-g OTHER",
        "Every packet moves to chain OTHER, whose end leads back to where this chain was called from.",
    ),
    (
        '-m comment --comment "nothing else"',
        "Every packet is counted, and goes on to the next rule.",
    ),
    (
        '-m madeup --with "some value" ! --without -j NOVEL --how twice',
        'If a packet passes match madeup --with "some value" ! --without, it is handed to target NOVEL --how "twice".',
    ),
]


@pytest.mark.parametrize(("rule", "expected"), SENTENCES, ids=[rule for rule, _ in SENTENCES])
def test_a_rule_in_words(rule: str, expected: str) -> None:
    assert sentence(rule) == expected


def test_a_chain_called_like_an_extension_is_jumped_to() -> None:
    (rule,) = parsed("-A INPUT -j LOG")
    assert rule_words(rule).action == "is logged"
    assert RuleWriter(chains={"LOG"}).words(rule).action == "jumps to chain LOG"


def test_the_glossary_names_a_chains_purpose() -> None:
    (rule,) = parsed("-A INPUT -j MINE")
    told = Glossary(chain=lambda name: f"purpose of {name}")
    assert rule_words(rule, told).action == "jumps to chain MINE (purpose of MINE)"


def test_counters_of_restore_input_are_worded() -> None:
    assert sentence("-c 7 900 -j ACCEPT") == "Every packet is accepted, its counters starting at 7 900."


def test_several_conditions_of_one_kind_are_all_worded() -> None:
    said = sentence("-m set --match-set a src -m set ! --match-set b dst -m comment --comment x -j ACCEPT")
    assert said == (
        'If a packet is in set "a" by its source (src) and is not in set "b" by its destination (dst), it is accepted.'
    )


def test_comments_are_separate_from_the_sentence() -> None:
    (rule,) = parsed('-A INPUT -m comment --comment "one" -m comment --comment "a \\"b\\"" -j ACCEPT')
    assert rule_words(rule).comments == ("one", 'a "b"')
    assert rule_words(rule).sentence == "Every packet is accepted."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ("1", "1 s"),
        ("59", "59 s"),
        ("60", "1 min (60 s)"),
        ("90", "1 min 30 s (90 s)"),
        ("10800", "3 h (10800 s)"),
        ("86400", "1 d (86400 s)"),
        ("0", "0 s"),
        ("x", "x s"),
        ("9" * 5000, "9" * 5000 + " s"),
    ],
)
def test_durations_keep_the_number_of_seconds(seconds: str, words: str) -> None:
    assert duration(seconds) == words


def test_negations_are_english() -> None:
    assert deny("has destination port 80") == "does not have destination port 80"
    assert deny("was sent by a process of user 0") == "was not sent by a process of user 0"


def test_endless_values_are_clipped_with_their_length() -> None:
    assert clipped("a" * 3000, 10) == "aaaaaaaaaa… (3,000 characters)"
    assert clipped("short") == "short"
