"""Single rules: what nft prints, and what it says."""

from __future__ import annotations

import pytest

from ipt_explain.model.nft import (
    WILDCARD,
    Aside,
    Binary,
    Concatenation,
    Conntrack,
    Element,
    Flags,
    MapLookup,
    Match,
    Meta,
    Nat,
    NatKind,
    Numgen,
    Operator,
    Payload,
    Prefix,
    Range,
    Rule,
    Set,
    SetLiteral,
    SetReference,
    SetUpdate,
    Statement,
    Unread,
    Verdict,
    VerdictKind,
    Xtables,
)
from ipt_explain.parsing import read_dump

ACCEPT, DROP = Verdict(VerdictKind.ACCEPT), Verdict(VerdictKind.DROP)
COUNTED = "counter packets 0 bytes 0"


def rule(text: str) -> Rule:
    """The rule of a chain that holds it alone."""
    ruleset = read_dump(f"table ip t {{\n\tchain c {{\n\t\t{text}\n\t}}\n}}\n").nft
    assert ruleset is not None
    (table,) = ruleset.tables.values()
    (only,) = table.chains["c"].rules
    return only


def the_set(body: str, kind: str = "set") -> Set:
    """The set of a table that holds it alone."""
    ruleset = read_dump(f"table ip t {{\n\t{kind} s {{\n{body}\n\t}}\n}}\n").nft
    assert ruleset is not None
    (table,) = ruleset.tables.values()
    return table.sets["s"]


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("ip daddr 10.0.0.1", Match(Payload("ip", "daddr"), Operator.EQUAL, "10.0.0.1")),
        ("ip6 saddr != fd00::/8", Match(Payload("ip6", "saddr"), Operator.NOT_EQUAL, Prefix("fd00::", 8))),
        ("ct state established,related", Match(Conntrack("state"), Operator.IN, Flags(("established", "related")))),
        ("ct status != snat | dnat", Match(Conntrack("status"), Operator.NOT_EQUAL, Flags(("snat", "dnat")))),
        ("meta mark 0x00000000/1", Match(Meta("mark"), Operator.EQUAL, Prefix(0, 1))),
        ("meta mark & 0x00004000 == 0x00000000", Match(Binary("&", Meta("mark"), 0x4000), Operator.EQUAL, 0)),
        ("meta mark and 0x4000 == 0x0", Match(Binary("&", Meta("mark"), 0x4000), Operator.EQUAL, 0)),
        ('iifname "veth*"', Match(Meta("iifname"), Operator.EQUAL, "veth*")),
        ("iif 7", Match(Meta("iif"), Operator.EQUAL, 7)),
        ("tcp dport 1024-65535", Match(Payload("tcp", "dport"), Operator.EQUAL, Range(1024, 65535))),
        (
            "tcp flags syn / fin,syn",
            Match(Binary("&", Payload("tcp", "flags"), Flags(("fin", "syn"))), Operator.EQUAL, "syn"),
        ),
        ("goto endpoint-A-ns/svc/tcp/__fd00.1/80", Verdict(VerdictKind.GOTO, "endpoint-A-ns/svc/tcp/__fd00.1/80")),
        ("dnat to 10.0.0.1:80", Nat(NatKind.DNAT, "10.0.0.1", 80)),
        ("dnat to [fd00::1]:80", Nat(NatKind.DNAT, "fd00::1", 80)),
        ("dnat ip6 to fd00::1", Nat(NatKind.DNAT, "fd00::1", family="ip6")),
        ("masquerade fully-random", Nat(NatKind.MASQUERADE, flags=frozenset({"fully-random"}))),
        ("redirect to :8080", Nat(NatKind.REDIRECT, port=8080)),
        (
            "dnat ip addr . port to numgen random mod 1 map { 0 : 10.0.0.1 . 80 }",
            Nat(
                NatKind.DNAT,
                MapLookup(Numgen(True, 1), SetLiteral((Element(0, Concatenation(("10.0.0.1", 80))),))),
                family="ip",
            ),
        ),
        ("update @seen { ip saddr }", SetUpdate("update", SetReference("seen"), Payload("ip", "saddr"))),
        ('xt match "recent"', Xtables("match", "recent")),
        ("xt target CHECKSUM", Xtables("target", "CHECKSUM")),
    ],
)
def test_a_statement(text: str, statement: Statement) -> None:
    assert rule(text).statements == (statement,)


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("synproxy mss 1460 wscale 7", (Unread("synproxy mss 1460 wscale 7"),)),
        ("queue flags bypass to 1-4", (Unread("queue flags bypass to 1-4"),)),
        ("something new 5 accept", (Unread("something new 5"), ACCEPT)),
        ("ip daddr 10.0.0.1 osf name Linux drop", (rule("ip daddr 10.0.0.1").statements[0], Unread("osf name Linux"), DROP)),
        ("dup to 10.0.0.1 # handle 7", (Aside("dup to 10.0.0.1"),)),
    ],
)  # fmt: skip
def test_unknown_parts_stay_text_between_known_ones(text: str, statements: tuple[Statement, ...]) -> None:
    assert rule(text).statements == statements


def test_comments_may_be_anywhere_in_a_rule() -> None:
    found = rule(f'meta l4proto tcp ip daddr 203.0.113.8 comment "ns/x has no endpoints" tcp dport 80 {COUNTED} reject')
    assert found.comment == "ns/x has no endpoints"
    assert len(found.statements) == 5


def test_elements_carry_comments_timeouts_and_verdicts() -> None:
    elements = """\
\t\ttype ipv4_addr . inet_proto . inet_service : verdict
\t\telements = { 10.0.0.1 . tcp . 80 comment "ns/svc" : goto reject-chain,
\t\t\t     10.0.0.0/24 . udp . 53-54 timeout 3h expires 2h59m59s916ms : drop,
\t\t\t     * : accept }"""
    found = the_set(elements, "map")
    assert found.types == ("ipv4_addr", "inet_proto", "inet_service")
    assert found.data_types == ("verdict",)
    first, second, third = found.elements
    assert first == Element(
        Concatenation(("10.0.0.1", "tcp", 80)), Verdict(VerdictKind.GOTO, "reject-chain"), comment="ns/svc"
    )
    assert second.key == Concatenation((Prefix("10.0.0.0", 24), "udp", Range(53, 54)))
    assert (second.timeout, second.expires) == (10800, 10799)
    assert third == Element(WILDCARD, ACCEPT)
    assert [element.line for element in found.elements] == [4, 5, 6]


def test_nft_1_1_7_counts_a_sets_elements_in_a_comment() -> None:
    found = the_set("\t\ttype ipv4_addr\n\t\tsize 65535\t# count 1\n\t\tflags dynamic,timeout\n\t\ttimeout 3h")
    assert (found.size, found.timeout, found.flags) == (65535, 10800, {"dynamic", "timeout"})


def test_priorities_are_numbers_whatever_their_name() -> None:
    def priority(family: str, text: str) -> int:
        base = f"\t\ttype filter hook prerouting priority {text}; policy accept;"
        ruleset = read_dump(f"table {family} t {{\n\tchain c {{\n{base}\n\t}}\n}}\n").nft
        assert ruleset is not None
        (table,) = ruleset.tables.values()
        found = table.chains["c"].base
        assert found is not None
        return found.priority

    assert priority("ip", "dstnat - 10") == priority("ip", "-110") == -110
    assert priority("inet", "srcnat + 1") == 101
    assert priority("bridge", "filter") == -200


def test_elements_with_limits_of_their_own_are_read() -> None:
    elements = "10.0.0.1 timeout 5m expires 4m59s limit rate 10/second burst 5 packets, 10.0.0.2 ct count over 20"
    found = the_set(f"\t\ttype ipv4_addr\n\t\tflags dynamic,timeout\n\t\telements = {{ {elements} }}\n").elements
    assert [(element.key, element.timeout, element.expires) for element in found] == [
        ("10.0.0.1", 300, 299),
        ("10.0.0.2", None, None),
    ]


def test_intervals_as_data_and_tunnels_are_read() -> None:
    body = "\t\ttype ipv4_addr : interval ipv4_addr\n\t\tflags interval\n\t\telements = { 10.1.0.0/24 : 10.2.0.0/24 }\n"
    tunnel = "\ttunnel away {\n\t\tid 10\n\t\tip saddr 10.0.0.1\n\t}\n"
    dump = read_dump(f"table ip t {{\n\tmap s {{\n{body}\t}}\n{tunnel}}}\n")
    assert dump.nft is not None
    assert not any("unknown" in each and "syntax" in each for each in dump.warnings)
    (table,) = dump.nft.tables.values()
    assert table.objects == ("tunnel away",)
    assert [(each.key, each.data) for each in table.sets["s"].elements] == [
        (Prefix("10.1.0.0", 24), Prefix("10.2.0.0", 24))
    ]
