"""Rules of nftables in English."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ipt_explain.parsing import read_dump
from ipt_explain.render.english.nft.rule import nft_rule_words
from tests.nft_corpus import listings

SETS = (
    "\tset s {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.1 }\n\t}\n"
    "\tmap m {\n\t\ttype ipv4_addr : verdict\n\t}\n"
    "\tset seen {\n\t\ttype ipv4_addr\n\t\tflags dynamic,timeout\n\t\ttimeout 3h\n\t}\n"
)


SENTENCES = """\
drop
    Every packet is dropped.
jump there
    Every packet jumps to chain there.
goto there
    Every packet goes to chain there and does not come back.
ip saddr 10.0.0.1 tcp dport 80 drop
    If a packet comes from 10.0.0.1, is TCP and has destination port 80, it is dropped.
ip daddr != 10.0.0.0/8 drop
    If a packet does not go to 10.0.0.0/8, it is dropped.
ip saddr { 10.0.0.1, 10.0.0.2 } drop
    If a packet comes from 10.0.0.1 or 10.0.0.2, it is dropped.
ip saddr @s reject
    If a packet has its source address in set s (1 element), it is refused with icmp port-unreachable
    (reject).
ip daddr vmap @m
    Every packet goes where map m (empty) sends it by its destination address; without an entry, on to the
    next rule.
ct state established,related accept
    If a packet belongs to a connection in state established or related, it passes this hook's chain (accept);
    chains of later priority still see it.
ct state new jump there
    If a packet starts a new connection (state new), it jumps to chain there.
fib daddr type local drop
    If a packet has a destination address of type local (this node's own), it is dropped.
iifname "eth0" oifname != "cni0" drop
    If a packet arrives on eth0 and does not leave by cni0, it is dropped.
meta mark & 0x00004000 == 0x00000000 return
    If a packet has mark bit 0x4000 (the masquerade mark) clear, it returns to the calling chain (in a base
    chain: to its policy).
meta mark 0x00000000/1 return
    If a packet has mark bit 0x80000000 clear, it returns to the calling chain (in a base chain: to its
    policy).
ip saddr & 255.0.0.0 == 10.0.0.0 drop
    If a packet passes `ip saddr & 255.0.0.0 == 10.0.0.0`, it is dropped.
meta mark set meta mark | 0x00004000
    Every packet gets mark bit 0x4000 (the masquerade mark) set.
numgen random mod 2 vmap { 0 : goto a, 1 : goto b }
    Every packet goes at random, 50 % each, to chain a or chain b.
numgen random mod 1 vmap { 0 : goto a }
    Every packet goes to chain a.
numgen random mod 3 vmap { 0-1 : goto a, 2 : goto b }
    Every packet goes at random: 66.67 % to chain a, 33.33 % to chain b.
meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.0.0.1 . 80, 1 : 10.0.0.2 . 80 }
    If a packet is TCP, it gets its destination rewritten at random, 50 % each, to 10.0.0.1:80 or 10.0.0.2:80
    (dnat).
dnat to 10.0.0.1:80
    Every packet gets its destination rewritten to 10.0.0.1:80 (dnat).
masquerade fully-random
    Every packet gets its source rewritten to the address of the interface it leaves by (masquerade), with a
    port fully at random (fully-random).
update @seen { ip saddr }
    Every packet has its source address remembered in set seen for 10,800 s.
counter packets 3 bytes 180 drop
    Every packet is dropped.
counter packets 3 bytes 180
    Every packet is counted, and goes on to the next rule.
meta random & 2147483647 < 1073741824 jump a
    If a packet is picked at random (50 % of those that come here), it jumps to chain a.
limit rate 5/second drop
    If a packet passes `limit rate 5/second`, it is dropped.
ip ttl 64 drop
    If a packet passes `ip ttl 64`, it is dropped.
meta mark set 0x1 tcp dport 80 drop
    Every packet gets its whole mark set to 0x1, then goes on with this rule only if it is TCP, then goes on
    with this rule only if it has destination port 80, then is dropped.
no such words drop
    If a packet passes `no such words`, which this program does not know, it is dropped.
"""
"""Rules, and indented below each what it says."""


def _sentences() -> Iterator[tuple[str, str]]:
    for block in re.split(r"\n(?! )", SENTENCES.strip()):
        rule, *words = block.splitlines()
        yield rule, " ".join(line.strip() for line in words)


@pytest.mark.parametrize(("rule", "sentence"), [*_sentences()])
def test_sentences(rule: str, sentence: str) -> None:
    ruleset = read_dump(f"table ip t {{\n{SETS}\tchain c {{\n\t\t{rule}\n\t}}\n}}\n").nft
    assert ruleset is not None
    (table,) = ruleset.tables.values()
    (only,) = table.chains["c"].rules
    assert nft_rule_words(only, table, {0x4000: "the masquerade mark"}).sentence == sentence


@pytest.mark.parametrize(
    ("family", "rule", "sentence"),
    [
        ("inet", "reject with icmpv6 no-route", "If a packet is IPv6, it is refused with icmpv6 no-route (reject)."),
        ("inet", "reject", "Every packet is refused with icmp port-unreachable (reject)."),
        (
            "inet",
            "ip saddr 10.0.0.1 reject with icmp host-prohibited",
            "If a packet comes from 10.0.0.1, it is refused with icmp host-prohibited (reject).",
        ),
        ("ip6", "reject with icmpv6 no-route", "Every packet is refused with icmpv6 no-route (reject)."),
    ],
)
def test_matches_that_nft_does_not_print_are_told(family: str, rule: str, sentence: str) -> None:
    ruleset = read_dump(f"table {family} t {{\n\tchain c {{\n\t\t{rule}\n\t}}\n}}\n").nft
    assert ruleset is not None
    (table,) = ruleset.tables.values()
    assert nft_rule_words(table.chains["c"].rules[0], table).sentence == sentence


def test_every_captured_rule_has_a_sentence() -> None:
    for each in listings()[::7]:
        ruleset = read_dump(each.text).nft
        assert ruleset is not None
        for table in ruleset.tables.values():
            for chain in table.chains.values():
                for rule in chain.rules:
                    assert nft_rule_words(rule, table).sentence.endswith(".")
