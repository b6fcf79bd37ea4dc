"""What nft prints with options: numbers for names (`-n`, `-p`), names for ports (`-S`), sets without elements (`-t`),
and only some of a table's blocks."""

from __future__ import annotations

import json
import re

import pytest

import ipt_explain
from ipt_explain.model import nft
from ipt_explain.parsing import read_dump
from ipt_explain.trace.packet import Packet
from ipt_explain.trace.tracer import trace
from tests.nft_corpus import listing

POLICY = listing("1.33/policy/nft-ruleset")

# What nft 1.0.6 printed of the same rules without options, and with -n or -S.
RULES = [
    ("ct state established,related accept", "ct state 0x2,0x4 accept"),
    ("ct state { new, untracked } accept", "ct state { 0x8, 0x40 } accept"),
    ("ct state vmap { invalid : drop, new : accept }", "ct state vmap { 0x1 : drop, 0x8 : accept }"),
    ("ct state != new accept", "ct state != 0x8 accept"),
    ("ct status snat,dnat accept", "ct status 0x10,0x20 accept"),
    ("ct direction original accept", "ct direction 0 accept"),
    ("tcp flags syn accept", "tcp flags 0x2 accept"),
    ("tcp flags syn / syn,ack accept", "tcp flags 0x2 / 0x2,0x10 accept"),
    ("meta l4proto { tcp, udp } accept", "meta l4proto { 6, 17 } accept"),
    ("meta l4proto vmap { tcp : accept, udp : drop }", "meta l4proto vmap { 6 : accept, 17 : drop }"),
    ("meta nfproto ipv4 accept", "meta nfproto 2 accept"),
    ("meta protocol ip accept", "meta protocol 0x0800 accept"),
    ("ip protocol tcp accept", "ip protocol 6 accept"),
    ("ip6 nexthdr udp accept", "ip6 nexthdr 17 accept"),
    ("meta pkttype broadcast accept", "meta pkttype 1 accept"),
    ("fib daddr type local accept", "fib daddr type 2 accept"),
    ("fib daddr . iif type { local, broadcast } accept", "fib daddr . iif type { 2, 3 } accept"),
    ("fib daddr type vmap { unicast : drop, local : accept }", "fib daddr type vmap { 1 : drop, 2 : accept }"),
    ("fib saddr . iif oif missing drop", "fib saddr . iif oif 0 drop"),
    ("meta l4proto . th dport { tcp . 53, udp . 53 } accept", "meta l4proto . th dport { 6 . 53, 17 . 53 } accept"),
    ("udp sport 53 reject with icmp port-unreachable", 'udp sport "domain" reject with icmp 3'),
    ("reject with icmpx host-unreachable", "reject with icmpx 2"),
    ("reject with icmpx admin-prohibited", "reject with icmpx type admin-prohibited"),
    ("tcp dport { 22, 80, 443 } accept", 'tcp dport { "ssh", "http", "https" } accept'),
    ("tcp dport vmap { 80 : accept, 443 : drop }", 'tcp dport vmap { "http" : accept, "https" : drop }'),
    ("tcp dport != 22 accept", 'tcp dport != "ssh" accept'),
    ("tcp dport 80 dnat ip to 10.0.0.1:8080", 'tcp dport "http" dnat ip to 10.0.0.1:"http-alt"'),
    ("tcp dport 81 redirect to :8080", 'tcp dport 81 redirect to :"http-alt"'),
    (
        "dnat ip to tcp dport map { 80 : 10.0.0.1 . 8080 }",
        'dnat ip to tcp dport map { "http" : 10.0.0.1 . "http-alt" }',
    ),
]


def table(chain: str) -> str:
    """A table with one chain that is asked."""
    return (
        f"table ip t {{\n\tchain c {{\n\t\ttype filter hook input priority 0; policy accept;\n\t\t{chain}\n\t}}\n}}\n"
    )


def statements(rule: str) -> tuple[nft.Statement, ...]:
    """A rule as read."""
    ruleset = read_dump(table(rule)).nft
    assert ruleset is not None
    ((_, found),) = ruleset.tables[nft.TableFamily.IP, "t"].each_rule()
    return found.statements


@pytest.mark.parametrize(("usual", "printed"), RULES, ids=[printed for _, printed in RULES])
def test_rules_mean_the_same_with_any_option(usual: str, printed: str) -> None:
    assert statements(printed) == statements(usual)
    assert not any(isinstance(each, nft.Unread) for each in statements(usual))


def test_json_says_the_same_in_numbers() -> None:
    left = {"meta": {"key": "l4proto"}}
    state = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": 8}}
    rule = {
        "family": "ip",
        "table": "t",
        "chain": "c",
        "expr": [{"match": {"op": "==", "left": left, "right": 6}}, state],
    }
    document = {
        "nftables": [{"table": {"family": "ip", "name": "t"}}, {"chain": {**rule, "name": "c"}}, {"rule": rule}]
    }
    ruleset = read_dump(json.dumps(document)).nft
    assert ruleset is not None
    ((_, found),) = ruleset.tables[nft.TableFamily.IP, "t"].each_rule()
    assert found.statements == statements("meta l4proto tcp ct state new")


@pytest.mark.parametrize(
    ("types", "usual", "printed"),
    [
        ("inet_service", "53, 80, 1000-2000", '"domain", "http", 1000-2000'),
        ("inet_proto . inet_service", "tcp . 53, udp . 53", '6 . "domain", 17 . "domain"'),
        ("inet_proto", "tcp, udp", "6, 17"),
        ("inet_service : ipv4_addr . inet_service", "80 : 10.0.0.1 . 8080", '"http" : 10.0.0.1 . "http-alt"'),
    ],
)
def test_elements_mean_the_same_with_any_option(types: str, usual: str, printed: str) -> None:
    found = []
    for elements in (usual, printed):
        kind = "map" if ":" in types else "set"
        ruleset = read_dump(
            f"table ip t {{\n\t{kind} s {{\n\t\ttype {types}\n\t\telements = {{ {elements} }}\n\t}}\n}}\n"
        ).nft
        assert ruleset is not None
        found.append(ruleset.tables[nft.TableFamily.IP, "t"].sets["s"].elements)
    assert found[0] == found[1]


def in_numbers(text: str) -> str:
    """A listing as `nft -n` prints it."""
    for usual, number in ((r"\btcp\b(?= \.| dnat)", "6"), (r"\budp\b(?= \.| dnat)", "17"), ("state new", "state 0x8"),
                          ("type local", "type 2")):  # fmt: skip
        text = re.sub(usual, number, text)
    return text


def with_names(text: str) -> str:
    """A listing as `nft -S` prints it."""
    for port, name in ((80, "http"), (53, "domain"), (443, "https"), (8080, "http-alt")):
        text = re.sub(rf"(tcp \. |udp \. |dport |:){port}(?= |$)", rf'\1"{name}"', text, flags=re.MULTILINE)
    return text


@pytest.mark.parametrize("change", [in_numbers, with_names])
def test_a_node_is_told_alike_with_any_option(change: object) -> None:
    assert callable(change)
    printed = change(POLICY.text)
    assert printed != POLICY.text
    told = []
    for text in (POLICY.text, printed):
        services = json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json())["services"]
        for each in services:
            for frontend in each["frontends"]:
                frontend.pop("evidence", None)
        told.append([(each["name"], each["state"], each["frontends"], each["endpoints"]) for each in services])
        assert [each.rule for each in ipt_explain.audit(ipt_explain.parse(text))] == []
    assert re.sub('"text": "[^"]*"', "", json.dumps(told[0])) == re.sub('"text": "[^"]*"', "", json.dumps(told[1]))


def without_elements(text: str) -> str:
    """A listing as `nft --terse` prints it."""
    return re.sub(r"\t\telements = \{[^}]*\}\n", "", text)


def blocks(text: str, kinds: str) -> str:
    """A listing of some kinds of blocks, as `nft list chains`, `nft list sets` and `nft list chain` print."""
    tables = re.findall(r"^table [^\n]*\n.*?^}\n", text, re.MULTILINE | re.DOTALL)
    kept = []
    for each in tables:
        found = "".join(re.findall(rf"^\t(?:{kinds}) \S+ {{\n.*?^\t}}\n", each, re.MULTILINE | re.DOTALL))
        kept.append(each.partition("\n")[0] + "\n" + found + "}\n")
    return "".join(kept)


def only_heads(text: str) -> str:
    """Chains as `nft list chains` prints them."""
    return re.sub(r"(\tchain \S+ {\n(?:\t\ttype [^\n]*\n)?)(?:\t\t[^\n]*\n)*", r"\1", blocks(text, "chain"))


PARTS = {
    "nft -t list ruleset": (without_elements(POLICY.text), "as `nft --terse` prints them"),
    "nft list chains": (only_heads(POLICY.text), "as `nft list chains` prints them"),
    "nft list sets": (blocks(POLICY.text, "set"), "no chain of this table is attached to a hook"),
    "nft list chain ip kube-proxy nat-prerouting": (
        table("jump services").replace("filter hook input priority 0", "nat hook prerouting priority -100"),
        "this rule leads to services, which is not in the text",
    ),
}


@pytest.mark.parametrize("command", PARTS)
def test_what_a_part_of_a_table_does_not_show_is_unknown(command: str) -> None:
    text, why = PARTS[command]
    dump = read_dump(text)
    assert any(why in warning for warning in dump.warnings)
    assert ipt_explain.audit(ipt_explain.parse(text)) == []
    (outcome,) = trace(dump, Packet("10.244.1.99", "10.96.0.25", "tcp", 80)).outcomes
    assert outcome.verdict == "UNKNOWN"


def test_maps_alone_do_not_show_where_any_connection_goes() -> None:
    found = ipt_explain.explain(ipt_explain.parse(blocks(POLICY.text, "map")))
    verdicts = {(front.kind.value, front.verdict.value) for each in found.services for front in each.frontends}
    assert {kind for kind, verdict in verdicts if verdict == "unmatched"} == set()
    assert ("node-port", "unknown") in verdicts and ("external", "unknown") in verdicts


def test_a_node_without_services_is_no_terse_listing() -> None:
    text = listing("1.33/empty/nft-ruleset").text
    assert not any("--terse" in warning for warning in read_dump(without_elements(text)).warnings)
