"""Nobody is accused of what only the copy of a text did to its rules."""

from __future__ import annotations

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.parsing import read_dump
from ipt_explain.services.ports import ServiceState
from tests.audit.helpers import findings_of, fired

_LISTED = """\
$ iptables -t nat -L
Chain PREROUTING (policy ACCEPT)
target     prot opt source               destination
KUBE-SERVICES  all  --  anywhere             anywhere             /* kubernetes service portals */ {hook}

Chain KUBE-SVC-AAAAAAAAAAAAAAAA (1 references)
target     prot opt source               destination
KUBE-SEP-BBBBBBBBBBBBBBBB  all  {opt}  anywhere             anywhere             /* demo/web */ {jump}
"""
_WHOLE = (
    '-A KUBE-NODEPORTS -p tcp -m comment --comment "demo/web" -m tcp --dport 30080 -j KUBE-MARK-MASQ\n'
    '-A KUBE-NODEPORTS -p tcp -m comment --comment "demo/web" -m tcp --dport 30080 -j KUBE-SVC-AAAAAAAAAAAAAAAA\n'
)


@pytest.mark.parametrize("opt", ["--", "—", "–"])
@pytest.mark.parametrize("note", ["← 1", "# see above", "!? nobody knows", "<- this"])
def test_words_that_someone_wrote_into_a_listing(opt: str, note: str) -> None:
    found = fired(_LISTED.format(hook=note, opt=opt, jump=note))
    assert not found & {"IPT104", "IPT115"}


@pytest.mark.parametrize("half", ["-j KUBE-MAR", "-j KUBE-SVC-AAAAA"])
def test_a_node_port_whose_last_rule_was_cut_off(half: str) -> None:
    cut = f'-A KUBE-NODEPORTS -p tcp -m comment --comment "demo/web" -m tcp --dport 30080 {half}\n'
    assert "IPT512" not in fired(_WHOLE + cut)


def test_a_comment_that_was_cut_off_holds_no_line_feed() -> None:
    assert "IPT008" not in fired(f'{_WHOLE}-A KUBE-SERVICES -m comment --comment "kubernetes service no\n')


def test_conditions_that_someone_left_out() -> None:
    assert "IPT115" not in fired(f"{_WHOLE}-A KUBE-SVC-AAAAAAAAAAAAAAAA -p tcp ... -j KUBE-MARK-MASQ\n")


def test_rules_of_a_listing_that_grep_filtered() -> None:
    text = """\
# iptables -S -t nat | grep OUTPUT
-P OUTPUT ACCEPT
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES

# iptables -S -t nat | grep KUBE-MARK-MASQ
-N KUBE-MARK-MASQ
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-NODE-PORT -p tcp -m set --match-set KUBE-NODE-PORT-TCP dst -j KUBE-MARK-MASQ
"""
    assert not fired(text) & {"IPT101", "IPT102"}


def test_a_map_in_a_rule_of_which_someone_left_out_elements() -> None:
    chain = "numgen random mod 3 vmap { 0 : goto endpoint-AAAAAAAA-demo/web/tcp/__10.0.0.1/80, ... }"
    table = f"table ip kube-proxy {{\n\tchain service-AAAAAAAA-demo/web/tcp/ {{\n\t\t{chain}\n\t}}\n}}\n"
    assert "IPT917" not in fired(table)
    assert "IPT917" in fired(table.replace(", ...", ""))


def test_the_list_of_tables_above_one_of_them() -> None:
    assert fired("# nft list tables\ntable ip nat\ntable ip kube-proxy\n\ntable ip kube-proxy {\n}\n") == {"IPT901"}


_NAT_PART = (
    '-A KUBE-SERVICES -d 10.96.7.7/32 -p tcp -m comment --comment "demo/web cluster IP" -m tcp --dport 80 -j {service}\n'
    '-A {service} -m comment --comment "demo/web" -j KUBE-SEP-BBBBBBBBBBBBBBBB\n'
    '-A KUBE-SEP-BBBBBBBBBBBBBBBB -p tcp -m comment --comment "demo/web" -m tcp -j DNAT --to-destination 10.244.1.9:80\n'
).replace("{service}", "KUBE-SVC-AAAAAAAAAAAAAAAA")
_FILTER = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{rules}COMMIT\n"


def test_a_rule_in_a_part_that_stops_connections_is_reported_as_explain_tells() -> None:
    text = _NAT_PART + _FILTER.format(rules="-A FORWARD -j REJECT --reject-with icmp-host-prohibited\n")
    (finding,) = findings_of("IPT117", text)
    assert (finding.chain, finding.line, finding.severity) == ("FORWARD", 8, Severity.ERROR)
    (service,) = explain(read_dump(text)).services
    assert service.state is ServiceState.BLOCKED


@pytest.mark.parametrize("rules", ["", "-A FORWARD -i eth7 -j DROP\n", "-A FORWARD -m set --match-set x src -j DROP\n"])
def test_what_a_part_leaves_open_is_no_loss(rules: str) -> None:
    assert "IPT117" not in fired(_NAT_PART + _FILTER.format(rules=rules))


def test_what_is_missing_from_a_part_is_no_loss() -> None:
    assert "IPT117" not in fired(_NAT_PART.replace("-j DNAT --to-destination 10.244.1.9:80", "-j RETURN"))


def test_several_endpoint_chains_without_dnat_are_one_fault() -> None:
    """Also if the loss is certain from the node alone, which reaches another of them last."""
    chains = ":KUBE-SEP-BBBBBBBBBBBBBBBB - [0:0]\n:KUBE-SEP-CCCCCCCCCCCCCCCC - [0:0]\n:KUBE-SEP-DDDDDDDDDDDDDDDD - [0:0]\n"
    head = "*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\n"
    hooks = "-A PREROUTING -j KUBE-SERVICES\n-A OUTPUT -j KUBE-SERVICES\n"
    chance = "-m statistic --mode random --probability"
    spread = "".join(
        f"-A KUBE-SVC-AAAAAAAAAAAAAAAA {which}-j KUBE-SEP-{letter * 16}\n"
        for which, letter in ((f"{chance} 0.33333333349 ", "B"), (f"{chance} 0.50000000000 ", "C"), ("", "D"))
    )
    (first, _, last) = _NAT_PART.splitlines(keepends=True)
    filtered = _FILTER.format(rules="-A FORWARD -i docker0 -j ACCEPT\n").replace("FORWARD ACCEPT", "FORWARD DROP")
    text = f"{head}{chains}{hooks}{first}{spread}{last}COMMIT\n{filtered}"
    assert fired(text) & {"IPT117", "IPT202"} == {"IPT202"}


@pytest.mark.parametrize(("servers", "left_over"), [(1, True), (0, False)])
def test_refusals_left_over_from_iptables_mode_where_ipvs_serves(servers: int, left_over: bool) -> None:
    refusal = (
        '-A KUBE-SERVICES -d 10.96.7.7/32 -p tcp -m comment --comment "demo/web has no endpoints" -m tcp --dport 80 '
        "-j REJECT --reject-with icmp-port-unreachable\n"
    )
    server = "TCP  10.96.7.7:80 rr\n" + "  -> 10.244.1.9:80                Masq    1      0          0\n" * servers
    found = findings_of("IPT506", refusal + server)
    assert [(finding.line, "IPVS has 1 endpoint for it" in finding.message) for finding in found] == [(1, True)] * left_over


def test_a_probability_that_a_document_shortened_is_told_as_the_little_that_it_is() -> None:
    chance = "-m statistic --mode random --probability"
    text = "".join(
        f"-A KUBE-SVC-AAAAAAAAAAAAAAAA {which}-j KUBE-SEP-{letter * 16}\n"
        for which, letter in ((f"{chance} 0.33 ", "B"), (f"{chance} 0.5 ", "C"), ("", "D"))
    )
    listed = f"*nat\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\n{text}COMMIT\n"
    (finding,) = findings_of("IPT201", listed)
    assert "gets 0.5 % more than its share" in finding.message


@pytest.mark.parametrize(
    ("count", "hook", "lost"),
    [
        ("0 references", "", True),
        ("2 references", "", False),
        ("0 references", "KUBE-SERVICES  all  --  0.0.0.0/0            0.0.0.0/0            /* kubernetes service portals */\n", False),
    ],
)
def test_a_listing_counts_what_leads_to_the_chain_of_services(count: str, hook: str, lost: bool) -> None:
    columns = "target     prot opt source               destination\n"
    service = "KUBE-SVC-AAAAAAAAAAAAAAAA  tcp  --  0.0.0.0/0            10.96.7.7            /* demo/web cluster IP */ tcp dpt:80\n"
    text = (
        f"# iptables -t nat -nL\nChain PREROUTING (policy ACCEPT)\n{columns}"
        f"PREROUTING_direct  all  --  0.0.0.0/0            0.0.0.0/0\n{hook}\nChain KUBE-SERVICES ({count})\n{columns}{service}\n"
    )
    assert ("IPT101" in fired(text)) is lost


_KUBE_FORWARD = "-A FORWARD -j KUBE-FORWARD\n-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT\n"


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        ("-A FORWARD -j REJECT --reject-with icmp-host-prohibited\n", 8),
        ("-A FORWARD -p icmp -j ACCEPT\n-A FORWARD -j DROP\n", 9),
        ("-A FORWARD -s 10.244.0.0/16 -j ACCEPT\n-A FORWARD -j DROP\n", None),
        ("-A FORWARD -i cni0 -j ACCEPT\n-A FORWARD -j DROP\n", None),
        ("-A FORWARD -p udp -j DROP\n", None),
        ("", None),
    ],
)
def test_filter_alone_tells_that_pods_reach_no_other(rules: str, line: int | None) -> None:
    chains = ":INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:KUBE-FORWARD - [0:0]\n"
    found = findings_of("IPT601", f"*filter\n{chains}{_KUBE_FORWARD}{rules}COMMIT\n")
    assert [finding.line for finding in found] == ([] if line is None else [line])
    nat = "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n"
    assert not findings_of("IPT601", f"{nat}*filter\n{chains}{_KUBE_FORWARD}{rules}COMMIT\n")
