"""`iptables -L`: the very rules that were loaded come back, and what a listing does not say stays open."""

from __future__ import annotations

import re

import pytest

import ipt_explain
from ipt_explain.model import Backend, Counters, Extent, Family, Form, Hidden, Rule, Ruleset
from ipt_explain.parsing import read_dump
from ipt_explain.parsing.listings.columns import Header
from ipt_explain.parsing.listings.rules import RowReader
from tests.listing_corpus import listed_rules, node, nodes

_VERBOSE = Header(numbers=False, counts=True, interfaces=True)
_BRIEF = Header(numbers=False, counts=False, interfaces=False)
_HEAD = " pkts bytes target     prot opt in     out     source               destination\n"
_BRIEF_HEAD = "target     prot opt source               destination\n"

_USUAL = frozenset(
    [
        "comment",
        "tcp",
        "udp",
        "sctp",
        "icmp",
        "icmp6",
        "conntrack",
        "state",
        "mark",
        "connmark",
        "addrtype",
        "multiport",
        "statistic",
        "recent",
        "set",
        "physdev",
        "limit",
        "iprange",
        "owner",
        "socket",
        "MARK",
        "CONNMARK",
        "DNAT",
        "SNAT",
        "MASQUERADE",
        "REDIRECT",
        "REJECT",
        "LOG",
        "NFLOG",
        "TPROXY",
        "CT",
        "NOTRACK",
        "TCPMSS",
        "ACCEPT",
        "DROP",
        "RETURN",
        "NETMAP",
    ]
)


def _is_usual(saved: str) -> bool:
    bare = re.sub(r'"(?:\\.|[^"])*"', '""', saved)
    modules = re.findall(r" -m (\S+)", bare)
    targets = [target for target in re.findall(r" -j (\S+)", bare) if target.isupper()]
    return _USUAL.issuperset([*modules, *targets])


def _read(row: str, header: Header = _VERBOSE) -> Rule:
    rule = RowReader().read(row, header, "X", 1)
    assert rule is not None
    return rule


def _ruleset(text: str) -> Ruleset:
    return read_dump(text).rulesets[0]


def test_rules_of_a_listing_are_the_rules_that_were_loaded() -> None:
    reader = RowReader()
    usual = all_rules = same_usual = same = 0
    for each in listed_rules():
        rule = reader.read(each.with_interfaces, _VERBOSE, each.chain, 1)
        right = rule is not None and rule.text == each.saved
        same += right
        all_rules += 1
        if _is_usual(each.saved):
            usual += 1
            same_usual += right
    # A hashlimit's name is not listed, `-i !x` looks like `! -i x`, `--dport 0:65535` like none.
    assert same_usual >= 0.99 * usual
    assert same >= 0.94 * all_rules


def test_a_known_form_is_read_the_same() -> None:
    reader = RowReader()
    for each in listed_rules()[::5]:
        known = reader.read(each.with_interfaces, _VERBOSE, each.chain, 1)
        fresh = RowReader().read(each.with_interfaces, _VERBOSE, each.chain, 1)
        assert known is not None and fresh is not None
        assert (known.shape, known.values) == (fresh.shape, fresh.values)


def test_shapes_are_those_of_iptables_save() -> None:
    listed = _read(
        "    0     0 DNAT       6    --  *      *       0.0.0.0/0            10.0.0.1             tcp dpt:80 to:10.1.0.1:80"
    )
    saved = _ruleset("-A X -d 10.0.0.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.1.0.1:80\n")
    rule = saved.tables["nat"].chains["X"].rules[0]
    assert listed.shape is rule.shape
    assert listed.values == rule.values


@pytest.mark.parametrize("name", nodes())
def test_a_verbose_listing_of_a_node_holds_the_rules_of_its_dump(name: str) -> None:
    texts = node(name)
    for tool in ("iptables", "ip6tables"):
        if f"{tool}-L-nv.txt" not in texts:
            continue
        dump = _ruleset(texts[f"{tool}-save.txt"])
        for style in ("nv", "nv-numbered"):
            listed = _ruleset(texts[f"{tool}-L-{style}.txt"])
            assert (listed.form, listed.family, listed.backend) == (Form.COLUMNS, dump.family, None)
            for table, found in listed.tables.items():
                for chain in found.chains.values():
                    known = dump.chain(table, chain.name)
                    assert known is not None
                    assert [rule.text for rule in chain.rules] == [rule.text for rule in known.rules]
                    assert chain.policy == known.policy


@pytest.mark.parametrize("style", ["n", "plain"])
def test_a_listing_without_interfaces_marks_every_rule(style: str) -> None:
    ruleset = _ruleset(node("1.30-basic-legacy")[f"iptables-L-{style}.txt"])
    rules = [rule for table in ruleset.tables.values() for chain in table.chains.values() for rule in chain.rules]
    assert len(rules) > 50
    assert all(rule.shape.hidden == {Hidden.INTERFACES} for rule in rules)


def test_unknown_words_are_kept_and_not_guessed() -> None:
    rule = _read(
        "    0     0 ACCEPT     6    --  *      *       0.0.0.0/0            0.0.0.0/0            frob 7 tcp dpt:80 /* a */ ctstate NEW"
    )
    assert rule.text == (
        '-A X -p tcp -m unread --listed "frob 7 tcp dpt:80" -m comment --comment a -m conntrack --ctstate NEW -j ACCEPT'
    )
    assert Hidden.CONDITIONS in rule.shape.hidden


def test_a_targets_words_belong_to_that_target() -> None:
    rule = _read("    0     0 KUBE-X     6    --  *      *       0.0.0.0/0            0.0.0.0/0            random")
    assert rule.text == '-A X -p tcp -m unread --listed "random" -j KUBE-X'


def test_names_stand_for_numbers_without_n() -> None:
    row = "DNAT       tcp  -- !ip-10-0-0-7.ec2.internal  loopback/8           tcp dpts:http:https to:10.1.0.1:80"
    assert _read(row, _BRIEF).text == (
        "-A X ! -s 10.0.0.7/32 -d 127.0.0.0/8 -p tcp -m tcp --dport 80:443 -j DNAT --to-destination 10.1.0.1:80"
    )


@pytest.mark.parametrize(("packets", "count"), [("12", 12), ("123K", 123_000), ("45M", 45_000_000), ("6G", 6 * 10**9)])
def test_counters_in_thousands(packets: str, count: int) -> None:
    row = f" {packets}  1024 ACCEPT     all  --  *      *       0.0.0.0/0            0.0.0.0/0"
    assert _read(row).counters == Counters(count, 1024)


def test_rows_without_target_and_without_opt() -> None:
    assert _read("           tcp      anywhere             anywhere             tcp dpt:ssh", _BRIEF).text == (
        "-A X -p tcp -m tcp --dport 22"
    )
    assert _read("tcp        all  --  anywhere             anywhere", _BRIEF).text == "-A X -j tcp"


def test_tables_are_recognised_by_their_built_in_chains() -> None:
    filters = [f"Chain {name} (policy ACCEPT)\n{_BRIEF_HEAD}\n" for name in ("INPUT", "FORWARD", "OUTPUT")]
    nats = [f"Chain {name} (policy DROP)\n{_BRIEF_HEAD}\n" for name in ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")]
    user = f"Chain KUBE-A (1 references)\n{_BRIEF_HEAD}\n"
    ruleset = _ruleset("".join([*filters, user, *nats, user]))
    assert {name: len(table.chains) for name, table in ruleset.tables.items()} == {"filter": 4, "nat": 5}
    assert ruleset.tables["nat"].extent is Extent.WHOLE


def test_the_command_above_a_listing_shows_table_and_family() -> None:
    text = f"root@node:~# ip6tables-legacy -t mangle -nvL X\nChain X (1 references)\n{_HEAD}"
    ruleset = read_dump(text, lenient=True).rulesets[0]
    assert (ruleset.family, ruleset.backend, list(ruleset.tables)) == (Family.IPV6, Backend.LEGACY, ["mangle"])


def test_only_a_chain_with_an_end_is_whole() -> None:
    row = "ACCEPT     all  --  anywhere             anywhere\n"
    ruleset = _ruleset(f"Chain A (1 references)\n{_BRIEF_HEAD}{row}\nChain B (1 references)\n{_BRIEF_HEAD}{row}")
    table = next(iter(ruleset.tables))
    assert [ruleset.extent(table, chain) for chain in "ABC"] == [Extent.WHOLE, Extent.START, Extent.NONE]


def test_lines_are_those_of_the_text() -> None:
    ruleset = _ruleset(
        f"\n# iptables -L\nChain INPUT (policy ACCEPT)\n{_BRIEF_HEAD}DROP       tcp  --  anywhere             10.0.0.1\n"
    )
    chain = ruleset.tables["filter"].chains["INPUT"]
    assert (chain.line, chain.rules[0].line) == (3, 5)


def test_a_node_listed_without_interfaces_leaves_one_question_open() -> None:
    from ipt_explain import explain

    explained = explain(read_dump(node("1.30-basic-legacy")["iptables-L-n.txt"]))
    fates = [service.frontends[0].fates for service in explained.services]
    assert fates
    questions = {question for fate in fates if fate is not None for question in fate.pod.open}
    assert questions == {"rules listed without -v name no interface"}


def test_chains_picked_from_several_tables_are_in_those() -> None:
    text = """Chain KUBE-SERVICES (2 references)
target     prot opt source               destination
REJECT     6    --  0.0.0.0/0            10.96.0.22           /* default/a has no endpoints */ tcp dpt:80

Chain KUBE-SEP-FH6AP6PO57ZBIDDN (2 references)
target     prot opt source               destination
DNAT       6    --  0.0.0.0/0            0.0.0.0/0            /* default/b */ tcp to:10.244.1.7:8080
"""
    tables = read_dump(text).rulesets[0].tables
    assert {name: list(table.chains) for name, table in tables.items()} == {
        "filter": ["KUBE-SERVICES"], "nat": ["KUBE-SEP-FH6AP6PO57ZBIDDN"]
    }  # fmt: skip


def test_a_chain_of_which_a_pipe_may_have_cut_rows() -> None:
    command = "iptables -t nat -nL KUBE-SVC-A"
    listed = (
        "Chain KUBE-SVC-A (1 references)\ntarget prot opt source destination\nKUBE-SEP-A all -- 0.0.0.0/0 0.0.0.0/0\n"
    )
    for pipe, extent in (("", Extent.WHOLE), (" | head -3", Extent.SOME), (" | tee log", Extent.WHOLE)):
        (ruleset,) = read_dump(f"$ {command}{pipe}\n{listed}\n$ date\n").rulesets
        assert ruleset.extent("nat", "KUBE-SVC-A") is extent


def test_a_listing_with_an_empty_line_after_each() -> None:
    rows = "KUBE-SEP-A all — anywhere anywhere /* a/b */\n\n# the other\nKUBE-SEP-B all — anywhere anywhere /* a/b */\n"
    (ruleset,) = read_dump(
        f"Chain KUBE-SVC-A (1 references)  <- this\n\ntarget prot opt source destination\n\n{rows}"
    ).rulesets
    assert [rule.target for rule in ruleset.rules("nat", "KUBE-SVC-A")] == ["KUBE-SEP-A", "KUBE-SEP-B"]


def test_a_listing_as_comments_below_its_command() -> None:
    text = "iptables -t nat -nL KUBE-SVC-A\n# Chain KUBE-SVC-A (1 references)\n# target prot opt source destination\n# KUBE-SEP-A all -- 0.0.0.0/0 0.0.0.0/0\n"
    (ruleset,) = read_dump(text).rulesets
    assert [rule.target for rule in ruleset.rules("nat", "KUBE-SVC-A")] == ["KUBE-SEP-A"]


def test_the_network_of_loopback_addresses_by_name() -> None:
    row = "DROP all -- !localhost/8 localhost/8 /* block incoming localnet connections */\n"
    (ruleset,) = read_dump(f"Chain KUBE-FIREWALL (2 references)\ntarget prot opt source destination\n{row}").rulesets
    (rule,) = ruleset.rules("filter", "KUBE-FIREWALL")
    assert (rule.core("-s"), rule.core("-d")) == ("127.0.0.0/8", "127.0.0.0/8")


@pytest.mark.parametrize("verbose", [False, True])
def test_a_listing_on_one_line(verbose: bool) -> None:
    columns, counts, ports = (
        ("pkts bytes target prot opt in out", "3 7K ", "* * ") if verbose else ("target prot opt", "", "")
    )
    rows = [f"{counts}KUBE-MARK-MASQ tcp -- {ports}!10.0.0.0/8 10.9.0.1 /* a/b cluster IP */ tcp dpt:80"]
    rows += [f"{counts}KUBE-SEP-{name} all -- {ports}0.0.0.0/0 0.0.0.0/0 /* a/b */" for name in "AB"]
    head = f"Chain KUBE-SVC-A (1 references) {columns} source destination"
    other = f"Chain KUBE-SEP-A (1 references) {columns} source destination"
    last = f"{counts}DNAT tcp -- {ports}0.0.0.0/0 0.0.0.0/0 /* a/b */ tcp to:10.1.0.1:80"
    (ruleset,) = read_dump(
        f"See ``` # iptables -t nat -nL {head} {' '.join(rows)} {other} {last} ``` for more\n"
    ).rulesets
    assert [rule.target for rule in ruleset.rules("nat", "KUBE-SVC-A")] == [
        "KUBE-MARK-MASQ",
        "KUBE-SEP-A",
        "KUBE-SEP-B",
    ]
    assert [rule.target_value("--to-destination") for rule in ruleset.rules("nat", "KUBE-SEP-A")] == ["10.1.0.1:80"]


def test_a_long_protocol_leaves_no_blank_before_the_options() -> None:
    """iptables before 1.8 pads protocols to five characters."""
    text = (
        "Chain FORWARD (policy ACCEPT)\ntarget     prot opt source               destination\n"
        "DROP       ipencap--  10.0.0.1             0.0.0.0/0\nDROP       udplite--  0.0.0.0/0            0.0.0.0/0\n"
    )
    found = [line for line in ipt_explain.parse(text).to_text().splitlines() if line.startswith("-A")]
    assert found == ["-A FORWARD -s 10.0.0.1/32 -p ipencap -j DROP", "-A FORWARD -p udplite -j DROP"]
