"""Other programs' tables of nftables beside kube-proxy's."""

from __future__ import annotations

import json

import pytest

import ipt_explain
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.runner import audit_node
from ipt_explain.parsing import read_dump
from tests.audit.helpers import audit_text
from tests.nft_corpus import listing

NODE = listing("1.33/basic/nft-ruleset").text


def beside(hook: str, *rules: str, policy: str = "accept", more: str = "") -> str:
    """kube-proxy's node with another table that has one base chain."""
    body = "\n".join(f"\t\t{rule}" for rule in rules)
    base = f"type filter hook {hook} priority filter; policy {policy};"
    return f"{NODE}table inet other {{\n{more}\tchain its-{hook} {{\n\t\t{base}\n{body}\n\t}}\n}}\n"


@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        ('oifname "docker0" drop', Severity.INFO),
        ('iif "virbr0" reject', Severity.INFO),
        ("fib saddr . iif oif missing drop", Severity.INFO),
        ("ip saddr 203.0.113.0/24 drop", None),
        ('iifname . ip saddr { "eth1" . 10.244.0.0/16 } drop', Severity.INFO),
        ("ip saddr 10.244.9.0/24 drop", Severity.WARNING),
        ("limit rate over 10/second drop", Severity.WARNING),
    ],
)
def test_what_healthy_nodes_ask_of_senders_is_a_note(rule: str, severity: Severity | None) -> None:
    found = [each for each in audit_text(beside("forward", rule)) if "pods" in each.message]
    assert [(each.rule, each.severity) for each in found] == ([("IPT120", severity)] if severity else [])


def as_json(*statements: dict[str, object]) -> str:
    """The same as JSON: a table whose base chain has one rule."""
    given = json.loads(listing("1.33/basic/nft-ruleset").json or "")
    named = {"family": "inet", "table": "other"}
    chain = {**named, "name": "its-forward", "type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}
    given["nftables"].append({"table": {"family": "inet", "name": "other"}})
    given["nftables"].append({"chain": chain})
    given["nftables"].append({"rule": {**named, "chain": "its-forward", "handle": 4, "expr": statements}})
    return json.dumps(given)


@pytest.mark.parametrize(
    "text",
    [
        beside("forward", "queue to 0"),
        beside("forward", "queue flags bypass to 100-103"),
        beside("forward", "meta mark set something odd"),
        as_json({"queue": None}),
        as_json({"queue": {"num": 100, "flags": "bypass"}}),
    ],
)
def test_a_rule_that_does_what_no_listing_shows_is_told(text: str) -> None:
    (found,) = audit_text(text)
    assert (found.rule, found.severity, found.table) == ("IPT120", Severity.WARNING, "inet other")
    assert found.message.startswith("this rule may stop connections from pods to ")


def table(name: str, **rules: str) -> str:
    """kube-proxy's node with another table that has base chains of one rule, by hook."""
    chains = [
        f"\tchain filter-{hook} {{\n\t\ttype filter hook {hook} priority filter; policy accept;\n\t\t{rule}\n\t}}\n"
        for hook, rule in rules.items()
    ]
    return f"{NODE}table ip {name} {{\n{''.join(chains)}}}\n"


def test_rules_of_one_program_that_may_lose_connections_are_one_note() -> None:
    (found,) = audit_text(table("calico", prerouting='iifname "eth9" drop', forward='iifname "eth8" drop'))
    assert (found.rule, found.severity, len(found.related_lines)) == ("IPT120", Severity.INFO, 1)
    assert found.message.startswith("Calico's rules may drop connections from pods")


@pytest.mark.parametrize(
    ("name", "severity", "words"),
    [
        ("kube-network-policies", Severity.WARNING, "kube-network-policies"),
        ("calico", Severity.WARNING, "Calico"),
        ("docker-bridges", Severity.ERROR, "this rule of nftables (Docker) drops all connections"),
        ("anybodys", Severity.ERROR, "this rule of nftables drops all connections"),
    ],
)
def test_what_an_engine_of_policies_drops_is_no_error(name: str, severity: Severity, words: str) -> None:
    (found,) = audit_text(table(name, forward="ip daddr 10.244.0.0/16 drop"))
    assert (found.severity, words in found.message) == (severity, True)


@pytest.mark.parametrize("accepted", ['iifname "docker0"', 'oif "virbr0"', 'iifname "tailscale0*"'])
def test_a_policy_that_spares_only_bridges_without_pods_is_a_warning(accepted: str) -> None:
    (found,) = audit_text(beside("forward", "ct state established,related accept", f"{accepted} accept", policy="drop"))
    assert (found.rule, found.severity) == ("IPT119", Severity.WARNING)
    assert found.message.startswith("the policy of inet other its-forward of nftables drops some connections from pods")
    assert found.help.startswith("Accept Service traffic in this chain (`ct status dnat accept`)")


def test_the_fix_for_a_policy_of_nftables_works() -> None:
    known = "ct state established,related accept"
    assert audit_text(beside("forward", known, policy="drop")) != []
    assert audit_text(beside("forward", known, "ct status dnat accept", policy="drop")) == []


def pods_with_chains(count: int, last: str) -> str:
    """A node whose forwarding chooses a chain for each of its pods by interface, and has a `last` rule for others."""
    elements = ", ".join(f'"cali{number}" : jump pod-{number}' for number in range(count))
    chains = [f"\tchain pod-{number} {{\n\t\tmeta mark set meta mark | 0x00010000\n\t}}\n" for number in range(count)]
    base = "type filter hook forward priority filter; policy accept;"
    rules = f"\t\t{base}\n\t\tiifname vmap @pods\n\t\tmeta mark & 0x00010000 == 0x00010000 accept\n\t\t{last}\n"
    held = f"\tmap pods {{\n\t\ttype ifname : verdict\n\t\telements = {{ {elements} }}\n\t}}\n"
    return f"{NODE}table ip other {{\n{held}\tchain its-forward {{\n{rules}\t}}\n{''.join(chains)}}}\n"


@pytest.mark.parametrize("pods", [4, 16, 17, 120])
def test_chains_of_many_pods_are_one_question(pods: int) -> None:
    fates = [
        front.fates.pod
        for service in ipt_explain.explain(read_dump(pods_with_chains(pods, "drop"))).services
        for front in service.frontends
        if front.fates is not None
    ]
    question = f'iifname "cali0", "cali1" or {pods - 2} more'
    assert {fate.open for fate in fates} == {(question,)}
    (found,) = audit_text(pods_with_chains(pods, "drop"))
    assert (found.rule, found.severity) == ("IPT120", Severity.INFO)


@pytest.mark.parametrize("pods", [4, 120])
def test_chains_of_pods_that_all_do_the_same_do_not_matter(pods: int) -> None:
    services = ipt_explain.explain(read_dump(pods_with_chains(pods, "accept"))).services
    assert {service.state.value for service in services} == {"serving"}
    assert audit_text(pods_with_chains(pods, "accept")) == []


@pytest.mark.parametrize(
    ("first", "second", "can"),
    [
        ('iifname "eth8"', 'iifname "eth9"', False),
        ('iif "eth8"', 'iifname "eth9"', False),
        ('iifname "eth8"', 'iifname { "eth8", "eth9" }', True),
        ('iifname "eth8"', 'iifname { "eth7", "eth9" }', False),
        ('iifname "eth8"', 'iifname != "eth8"', False),
        ('iifname "veth*"', 'iifname "cali0"', False),
        ('iifname "veth*"', 'iifname "veth0"', True),
        ('iifname != "veth*"', 'iifname "veth0"', False),
        ('iifname "eth8"', 'oifname "eth9"', True),
    ],
)
def test_a_packet_has_one_interface(first: str, second: str, can: bool) -> None:
    text = beside("forward", f"{first} meta mark set 0x100", f"{second} meta mark & 0x100 == 0x100 drop")
    assert bool([each for each in audit_text(text) if "drop" in each.message]) is can


@pytest.mark.parametrize(("second", "can"), [("-i eth8", True), ("-i eth9", False), ("! -i eth8", False), ("-i eth+", True)])
def test_a_packet_has_one_interface_in_both_backends(second: str, can: bool) -> None:
    nft = beside("prerouting", 'iifname "eth8" meta mark set 0x100')
    iptables = (
        "# Generated by iptables-save v1.8.7 on Mon Mar 11 10:00:00 2024\n*filter\n:INPUT ACCEPT [0:0]\n"
        ":FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        f"-A FORWARD {second} -m mark --mark 0x100/0x100 -j DROP\nCOMMIT\n"
    )
    report = audit_node([read_dump(nft, source="nft"), read_dump(iptables, source="iptables")])
    assert bool([each for each in report.findings if "drop" in each.message]) is can
