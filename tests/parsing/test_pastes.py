"""What people paste: prose, prompts, logs, scripts and wrapped lines around rules."""

from __future__ import annotations

import pytest

from ipt_explain.errors import DumpSyntaxError
from ipt_explain.model import Backend, Dump, Family, Rule
from ipt_explain.parsing import read_dump

_RULE = '-A KUBE-SVC-A -m comment --comment "demo/web -> 10.1.0.1:80" -j KUBE-SEP-A'


def _rules(dump: Dump) -> list[Rule]:
    return [
        rule
        for ruleset in dump.rulesets
        for table in ruleset.tables.values()
        for chain in table.chains.values()
        for rule in chain.rules
    ]


def _texts(text: str) -> list[str]:
    return [rule.text for rule in _rules(read_dump(text))]


@pytest.mark.parametrize(
    "line",
    [
        "Here is what the node has for the service:",
        "该链为入口链，有三张表。",
        "- the endpoint that fails",
        "[root@node ~]# kubectl get svc -n demo web -o wide",
        "$ kubectl exec -it -n demo web-0 -- sh",
        "/ # ",
        "NAME   TYPE        CLUSTER-IP     PORT(S)   AGE",
        "10.244.2.1 dev eth0 scope link src 10.244.2.3",
        "INBOUND_CAPTURE_PORT=15006",
        "──────────────",
        "https://example.com/thread/1",
    ],
)
def test_text_around_rules_is_left_out_and_named(line: str) -> None:
    dump = read_dump(f"{line}\n{_RULE}\n")
    assert [(rule.text, rule.line) for rule in _rules(dump)] == [(_RULE, 2)]
    assert any("left out line 1" in warning for warning in dump.warnings) or "kubectl" in line


@pytest.mark.parametrize(
    "line",
    [
        "A KUBE-SVC-A -m comment --comment x -j KUBE-SEP-B",
        "KUBE-SVC-A -p tcp -j KUBE-SEP-B",
        "KUBE-SEP-B",
        "<span>-A KUBE-SVC-A</span> -j KUBE-SEP-B",
        "iptables-restore < rules.v4",
    ],
)
def test_what_may_be_a_broken_rule_is_refused(line: str) -> None:
    with pytest.raises(DumpSyntaxError):
        read_dump(f"{_RULE}\n\n{line}\n")


def test_prose_inside_a_table_is_refused() -> None:
    with pytest.raises(DumpSyntaxError):
        read_dump(f"*nat\n:KUBE-SVC-A - [0:0]\nHere it is:\n{_RULE}\nCOMMIT\n")


@pytest.mark.parametrize(
    "prefix",
    [
        "Nov 14 11:06:11 node-1 kube-proxy[12085]: ",
        "2024-05-01T10:00:00.123456789Z stdout F ",
        "kube-proxy-1  | ",
        "   12 ",
    ],
)
def test_a_logs_prefix_is_taken_off(prefix: str) -> None:
    assert _texts(f"{prefix}{_RULE}\n{prefix}{_RULE.replace('SEP-A', 'SEP-B')}\n") == [
        _RULE,
        _RULE.replace("SEP-A", "SEP-B"),
    ]


@pytest.mark.parametrize("break_at", [62, 68, 71])
def test_a_terminal_breaks_inside_words(break_at: int) -> None:
    assert _texts(f"{_RULE[:break_at]}\n{_RULE[break_at:]}\n{_RULE}\n") == [_RULE, _RULE]


@pytest.mark.parametrize("word", ["-m comment", "--comment", "-j KUBE"])
def test_a_document_breaks_at_blanks(word: str) -> None:
    place = _RULE.index(word)
    assert _texts(f"{_RULE[: place - 1]}\n    {_RULE[place:]}\n") == [_RULE]


def test_commands_of_a_script_are_the_rules_that_they_make() -> None:
    dump = read_dump(
        "+ iptables -w 5 -t nat -A PREROUTING -p TCP '!' -s 10.0.0.0/8 --dport 80 -m comment --comment 'a b' -j DNAT --to 10.1.0.1:80\n"
        "ip6tables-legacy -t mangle -I OUTPUT -j MARK --set-mark 1\n"
        "iptables -A INPUT -s $HOST -j DROP\n"
    )
    assert [rule.text for rule in _rules(dump)] == [
        '-A PREROUTING ! -s 10.0.0.0/8 -p TCP -m tcp --dport 80 -m comment --comment "a b" -j DNAT --to-destination 10.1.0.1:80',
        "-I OUTPUT -j MARK --set-mark 1",
    ]
    assert [(each.family, each.backend, list(each.tables)) for each in dump.rulesets] == [
        (Family.IPV4, None, ["nat"]),
        (Family.IPV6, Backend.LEGACY, ["mangle"]),
    ]
    assert any("line 3 cannot be read" in warning for warning in dump.warnings)


@pytest.mark.parametrize("mark", ["", "# "])
def test_the_other_backend_is_heard_of_wherever_it_is_said(mark: str) -> None:
    said = f"{mark}Warning: iptables-legacy tables present, use iptables-legacy to see them"
    dump = read_dump(f"{_RULE}\n{said}\n")
    assert any("iptables-legacy also holds rules" in warning for warning in dump.warnings)


def test_rows_whose_chain_is_not_shown_are_left_out_and_named() -> None:
    row = "    0     0 KUBE-MARK-MASQ  tcp  --  *      *       127.0.0.0/8          0.0.0.0/0            tcp dpt:31819"
    dump = read_dump(f"{row}\n\n{_RULE}\n")
    assert len(_rules(dump)) == 1
    assert any("whose chain is not in the text" in warning for warning in dump.warnings)


def test_a_text_without_any_rule_is_still_refused() -> None:
    with pytest.raises(DumpSyntaxError):
        read_dump("Here is what the node has for the service:\nnothing at all\n")
