"""What people paste: prose, prompts, logs, scripts and wrapped lines around rules."""

from __future__ import annotations

import json
import textwrap

import pytest

from ipt_explain.errors import DumpSyntaxError
from ipt_explain.model import Backend, Extent, Family
from ipt_explain.parsing import read_dump
from tests.dumps import rules_of

_RULE = '-A KUBE-SVC-A -m comment --comment "demo/web -> 10.1.0.1:80" -j KUBE-SEP-A'


def _texts(text: str) -> list[str]:
    return [rule.text for rule in rules_of(read_dump(text))]


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
        "`iptables-save",
        ")",
        "INBOUND_CAPTURE_PORT=15006",
        "──────────────",
        "https://example.com/thread/1",
        "2.",
        "17",
        "docs/tasks/debug-services.md:41",
    ],
)
def test_text_around_rules_is_left_out_and_named(line: str) -> None:
    dump = read_dump(f"{line}\n{_RULE}\n")
    assert [(rule.text, rule.line) for rule in rules_of(dump)] == [(_RULE, 2)]
    assert any("left out line 1" in warning for warning in dump.warnings) or "kubectl" in line


@pytest.mark.parametrize(
    "line",
    [
        "A KUBE-SVC-A -m comment --comment x -j KUBE-SEP-B",
        "KUBE-SVC-A -p tcp -j KUBE-SEP-B",
        "KUBE-SEP-B",
        "iptables-restore < rules.v4",
        "10.244.0.0/16",
        "demo/web:http",
    ],
)
def test_what_may_be_a_broken_rule_is_refused(line: str) -> None:
    with pytest.raises(DumpSyntaxError):
        read_dump(f"{_RULE}\n\n{line}\n")


@pytest.mark.parametrize(
    ("line", "note"),
    [
        (f"**{_RULE}**", "1 line: additions of a log, a list or a page"),
        (f"// {_RULE}", "1 line: additions of a log, a list or a page"),
        ('time="2026-01-09" level=debug msg="removing rule" rule="' + _RULE.replace('"', '\\"') + '"', "additions of a log"),
        (f"<p><span>{_RULE.replace('>', '&gt;')}</span></p>", "1 line: HTML tags were removed"),
        (_RULE.replace("-m comment ", ""), "1 line: `-m comment` was left out"),
        (_RULE.replace("--comment", "-- comment"), "1 line: spaces inside an option"),
    ],
)
def test_a_rule_as_pages_and_logs_show_it(line: str, note: str) -> None:
    dump = read_dump(f"As the book says:\n{line}\n")
    assert [(rule.text, rule.line) for rule in rules_of(dump)] == [(_RULE, 2)]
    assert any(note in warning for warning in dump.warnings)


def _wrapped(lines: list[str], width: int) -> str:
    return "".join(f"{line[at : at + width]}\n" for line in lines for at in range(0, len(line), width))


_TABLE = ["*nat", ":PREROUTING ACCEPT [0:0]", ":KUBE-SVC-A - [0:0]", _RULE, _RULE.replace("SEP-A", "SEP-B"), "COMMIT"]


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        (_wrapped(_TABLE, 62), True),
        ("Look:\n```" + "\n".join(_TABLE) + "```\nIdeas?\n", True),
        ("{code:bash}\n" + "\n".join(_TABLE) + "\n{code}\n", True),
        (
            'ok: [n1] => {\n    "rc": 0,\n    "stdout_lines": [\n'
            + ",\n".join(map(json.dumps, _TABLE))
            + "\n    ]\n}\n",
            True,
        ),
        ("\n".join(_TABLE).replace("KUBE-S", "\x1b[01;31m\x1b[KKUBE-S\x1b[m\x1b[K") + "\n", True),
        ("\n".join(_TABLE).replace("KUBE-S", "KUBE-\u200bS") + "\n", True),
        ("\n".join(_TABLE) + "\n~\n(END)\n", True),
        ("\n".join([*_TABLE[:4], ":", *_TABLE[4:]]) + "\n", False),
        ("| n | rule |\n|---|---|\n" + "".join(f"| {n} | `{line}` |\n" for n, line in enumerate(_TABLE[3:5])), False),
        ("".join(f"[pod/kube-proxy-x/kube-proxy] {line}\n" for line in _TABLE), True),
    ],
    ids=[
        "window",
        "slack",
        "jira",
        "ansible",
        "colours",
        "invisible",
        "pager",
        "screens",
        "markdown table",
        "kubectl logs",
    ],
)
def test_rules_with_decorations_of_logs_and_pages(text: str, complete: bool) -> None:
    dump = read_dump(text)
    assert [rule.text for rule in rules_of(dump)] == _TABLE[3:5]
    assert dump.rulesets[0].fragment is not complete


@pytest.mark.parametrize("line", ["$ ", "$", "```", "EOF", "root@node-1:~#", "Thanks", "~", "(END)"])
def test_nothing_is_joined_to_a_rule_that_ends_before_the_windows_edge(line: str) -> None:
    assert rules_of(read_dump(f"On the node:\n{_RULE}\n{line}\n", lenient=True))[0].text == _RULE


def test_rules_inside_a_string_of_json_are_refused_with_what_to_do() -> None:
    with pytest.raises(DumpSyntaxError) as refused:
        read_dump(json.dumps({"host": "n1", "stdout": "\n".join(_TABLE)}) + "\n")
    assert "jq -r" in refused.value.remedy


def test_options_below_a_rule_with_notes_next_to_them() -> None:
    lines = [
        '  -A KUBE-SVC-A --comment "a/b"     ← half of them',
        "     -m statistic --mode random --probability 0.5",
        "     -j KUBE-SEP-A               # to the first",
        "  -A KUBE-SVC-A",
        "     -j KUBE-SEP-B",
    ]
    dump = read_dump("\n".join(["The chain:", *lines]) + "\n")
    assert [(rule.text, rule.line) for rule in rules_of(dump)] == [
        ('-A KUBE-SVC-A -m comment --comment "a/b" -m statistic --mode random --probability 0.5 -j KUBE-SEP-A', 2),
        ("-A KUBE-SVC-A -j KUBE-SEP-B", 5),
    ]


def test_two_rules_on_a_line_that_a_window_padded() -> None:
    rule = "-A KUBE-SERVICES -d 10.96.0.1/32 -p udp -m udp --dport 53 -j KUBE-SVC-FKYB3VE56PGE3NL6"
    dump = read_dump(f"  1 {rule.replace('SVC-', '      SVC-')}          2 {rule.replace('0.1/', '0.2/')}\n")
    assert [(each.text, each.line) for each in rules_of(dump)] == [(rule, 1), (rule.replace("0.1/", "0.2/"), 1)]


def test_typographic_quotes_and_missing_blanks_are_repaired() -> None:
    rule = '-A KUBE-SVC-VX5XTMYNLWGXYEL4 -m comment --comment "a/b:" -j KUBE-SEP-AA6LE4U3XA6T2EZB'
    shown = "-A KUBE-SVC-VX5XTMYNLWGXYEL4-m comment –comment “a/b:” -j KUBE-SEP-AA6LE4U3XA6T2EZB"
    assert _texts(f"The book:\n**{shown}**\n") == [rule]


def test_a_listing_in_the_source_of_a_page() -> None:
    lines = [
        "<p>Have a look:</p>",
        "<pre><code>Chain KUBE-SVC-A <span>(</span>1 references<span>)</span>",
        "<span>target</span>     prot opt source               destination",
        "KUBE-SEP-A  all  --  <span>0.0.0.0/0</span>            0.0.0.0/0            /* a/b */",
        "</code></pre>",
        "<pre>func main() {",
        "\t<span>-j</span> REJECT",
        "</pre>",
    ]
    (rule,) = rules_of(read_dump("\n".join(lines) + "\n"))
    assert (rule.chain, rule.target, rule.line) == ("KUBE-SVC-A", "KUBE-SEP-A", 4)


def test_tags_in_a_comment_make_no_page() -> None:
    row = "ACCEPT     all  --  0.0.0.0/0            0.0.0.0/0            /* <b>bold</b> */"
    (rule,) = rules_of(
        read_dump(f"Chain INPUT (policy ACCEPT)\ntarget     prot opt source               destination\n{row}\n")
    )
    assert rule.text.endswith('"<b>bold</b>" -j ACCEPT')


def test_no_table_continues_after_a_fence() -> None:
    forward = "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP"
    dump = read_dump(f"```\n*nat\n:KUBE-SVC-A - [0:0]\n{_RULE}\n```\nAnd then:\n```\n{forward}\n```\n")
    assert [list(table.chains) for table in dump.rulesets[0].tables.values()] == [["KUBE-SVC-A"], ["KUBE-FORWARD"]]
    assert [rule.target for rule in rules_of(dump)] == ["KUBE-SEP-A", "DROP"]


def test_numbers_of_lines_beside_a_block_are_left_out() -> None:
    dump = read_dump(f"As the page shows:\n1\n2\n3\n\n{_RULE}\n4\n5\n")
    assert [rule.line for rule in rules_of(dump)] == [6]


def test_a_number_alone_below_a_rule_may_be_its_end() -> None:
    with pytest.raises(DumpSyntaxError):
        read_dump(f"{_RULE}\n4\n")


def test_a_diff_that_only_adds_lines_is_read_as_the_text_that_it_makes() -> None:
    hunk = f"--- a/x.md\n+++ b/x.md\n@@ -5,2 +5,4 @@ above\n what the node has\n+$ iptables-save\n+{_RULE}\n"
    dump = read_dump(f"```diff\n{hunk}```\n")
    assert [(rule.text, rule.line) for rule in rules_of(dump)] == [(_RULE, 7)]
    assert any("2 lines: the `+` of a diff that only adds lines was ignored" in warning for warning in dump.warnings)


@pytest.mark.parametrize(
    "lines",
    [
        "+TCP  10.96.0.9:80 rr\n-  -> 10.244.1.2:80                Masq    1      0          0\n",
        "-table ip kube-proxy {\n+table ip x {\n",
        "-Chain KUBE-SVC-A (1 references)\n+Chain KUBE-SVC-B (1 references)\n",
    ],
)
def test_a_diff_of_other_output_is_refused_once(lines: str) -> None:
    with pytest.raises(DumpSyntaxError) as refused:
        read_dump(lines)
    assert len(refused.value.diagnostics) == 1
    assert "compare BEFORE AFTER" in refused.value.remedy


@pytest.mark.parametrize(
    ("first", "second", "several"),
    [
        ("[root@n1 ~]# iptables-save | grep web", "[root@n2 ~]# iptables-save | grep web", True),
        ("bob@n1:~$ sudo iptables -t nat -S", "root@n2:/etc# /usr/sbin/ipvsadm -Ln", True),
        ("n1$ nft list ruleset", "n2# ipset list", True),
        ("=== node-a ===", "=== node-b ===", True),
        ("worker1:", "worker2:", True),
        ("the node:", "The master has:", False),
        ("[root@n1 ~]# iptables-save", "[root@n1 tmp]# ipset list", False),
        ("bob@laptop:~$ ssh n1", "root@n1:~# iptables-save", False),
        ("bash-4.4$ iptables-save", "root@n1:~# iptables-save", False),
    ],
)
def test_prompts_of_several_hosts_are_named(first: str, second: str, several: bool) -> None:
    dump = read_dump(f"{first}\n{_RULE}\n{second}\n")
    assert any("whose rules are read as those of one node" in warning for warning in dump.warnings) is several


def test_a_diff_is_refused_once() -> None:
    with pytest.raises(DumpSyntaxError) as refused:
        read_dump(f"1c1\n< {_RULE}\n---\n> {_RULE}\n5a6\n> {_RULE}\n")
    assert len(refused.value.diagnostics) == 1
    assert "compare BEFORE AFTER" in refused.value.remedy


def test_a_line_that_a_pager_cut_off_is_left_out_and_named() -> None:
    dump = read_dump(f"{_RULE}\n{_RULE} -\n{_RULE[:-14]}--jum\n")
    assert [rule.line for rule in rules_of(dump)] == [1]
    assert sum("is cut off at its end" in warning for warning in dump.warnings) == 2


def test_lines_that_end_in_carriage_returns_alone() -> None:
    lines = ["*nat", ":KUBE-SVC-A - [0:0]", _RULE, "COMMIT"]
    assert _texts("".join(f"{line}\r " for line in lines)) == [_RULE]


def test_parts_of_a_table_without_its_first_line() -> None:
    reject = "-A KUBE-SERVICES -d 10.96.0.9/32 -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable"
    nat = f":PREROUTING ACCEPT [0:0]\n:KUBE-SVC-A - [0:0]\n-A PREROUTING -j KUBE-SERVICES\n{_RULE}\nCOMMIT\n"
    dump = read_dump(f"{reject}\nCOMMIT\n# Completed on Wed\n# Generated by iptables-save v1.8.9 on Wed\n{nat}")
    (ruleset,) = dump.rulesets
    assert {name: list(table.chains) for name, table in ruleset.tables.items()} == {
        "filter": ["KUBE-SERVICES"],
        "nat": ["PREROUTING", "KUBE-SVC-A"],
    }
    assert ruleset.fragment
    assert any("`*table` line of 2 tables" in warning for warning in dump.warnings)


def test_prose_inside_a_table_is_refused() -> None:
    with pytest.raises(DumpSyntaxError):
        read_dump(f"*nat\n:KUBE-SVC-A - [0:0]\nHere it is:\n{_RULE}\nCOMMIT\n")


@pytest.mark.parametrize(
    "prefix",
    [
        "Nov 14 11:06:11 node-1 kube-proxy[12085]: ",
        "2024-05-01T10:00:00.123456789Z stdout F ",
        "kube-proxy-1  | ",
        "2026/11/22 19:09:12 ",
        "[   12.345678] ",
        "- ",
        "- `",
        "`",
        "   12 ",
    ],
)
def test_a_logs_prefix_is_removed(prefix: str) -> None:
    assert _texts(f"{prefix}{_RULE}\n{prefix}{_RULE.replace('SEP-A', 'SEP-B')}\n") == [
        _RULE,
        _RULE.replace("SEP-A", "SEP-B"),
    ]


@pytest.mark.parametrize("break_at", [62, 68, 71])
def test_a_terminal_breaks_inside_words(break_at: int) -> None:
    assert _texts(f"{_RULE[:break_at]}\n{_RULE[break_at:]}\n" * 2) == [_RULE, _RULE]


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
    assert [rule.text for rule in rules_of(dump)] == [
        '-A PREROUTING ! -s 10.0.0.0/8 -p TCP -m tcp --dport 80 -m comment --comment "a b" -j DNAT --to-destination 10.1.0.1:80',
        "-I OUTPUT -j MARK --set-mark 1",
    ]
    assert [(each.family, each.backend, list(each.tables)) for each in dump.rulesets] == [
        (Family.IPV4, None, ["nat"]),
        (Family.IPV6, Backend.LEGACY, ["mangle"]),
    ]
    assert any("line 3 cannot be read" in warning for warning in dump.warnings)


def test_a_script_is_read_as_sh_reads_it() -> None:
    dump = read_dump(
        "#!/bin/bash\nset -e\nIPT=/sbin/iptables\niptables -F\niptables -P FORWARD DROP\n"
        "iptables -t nat -I PREROUTING 1 -p tcp -d 10.96.0.11 \\\n   --dport 443 \\\n   -j DNAT --to 10.0.0.6:8443 # web\n"
        "iptables -A INPUT -s 10.0.0.0/8 \\! -d 10.9.9.9 -m comment --comment 'it'\\''s'\\ \"a#b;c\" -j DROP\n"
        "$IPT -A INPUT -j DROP\n"
        "if ! iptables -C INPUT -j LOG 2>/dev/null; then\n  iptables -A INPUT -j LOG;\nfi\n"
        "iptables -C OUTPUT -j LOG || iptables -A OUTPUT -j LOG; /sbin/iptables -D OUTPUT -s 1.2.3.4 -j DROP || true\n"
    )
    assert [(rule.text, rule.line) for rule in rules_of(dump)] == [
        ("-I PREROUTING 1 -d 10.96.0.11 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.6:8443", 6),
        ('-A INPUT -s 10.0.0.0/8 ! -d 10.9.9.9 -m comment --comment "it\'s a#b;c" -j DROP', 9),
        ("-A INPUT -j LOG", 12),
        ("-A OUTPUT -j LOG", 14),
    ]
    assert any("line 10 cannot be read" in warning for warning in dump.warnings)
    assert any("left out 6 lines (2-5, 11, 13)" in warning for warning in dump.warnings)


def test_quotes_of_a_script_that_are_never_closed_are_named() -> None:
    dump = read_dump("iptables -A INPUT -j LOG\niptables -A INPUT -m comment --comment 'a -j DROP\n")
    assert [rule.text for rule in rules_of(dump)] == ["-A INPUT -j LOG"]
    assert any("line 2 cannot be read" in warning for warning in dump.warnings)


def test_calls_that_klog_prints() -> None:
    time = "I1122 19:09:12.123456       1 iptables.go:358] "
    dump = read_dump(
        f'{time}"Running" command="iptables" arguments=["-w","5","-C","X","-t","nat"]\n'
        f'{time}"Running" command="iptables" arguments=["-w","5","-A","X","-t","nat","-m","comment","--comment","a b","-j","ACCEPT"]\n'
        f"{time}running iptables -C [X -t nat -m comment --comment a b -j ACCEPT]\n"
        f"Nov 22 19:09:12 node sh[9]: + iptables -t nat -I X -s 10.0.0.1 -j RETURN\n"
    )
    assert [rule.text for rule in rules_of(dump)] == [
        "-I X -s 10.0.0.1 -j RETURN",
        '-A X -m comment --comment "a b" -j ACCEPT',
    ]


def test_lines_of_a_docker_log() -> None:
    line = json.dumps({"log": f"{_RULE}\n", "stream": "stdout", "time": "2026-11-22T19:09:12.123Z"})
    assert _texts(f"{line}\n") == [_RULE]


def test_a_listing_in_a_docker_log() -> None:
    listing = (
        "Chain INPUT (policy ACCEPT)\n"
        "target     prot opt source               destination         \n"
        'ACCEPT     tcp  --  0.0.0.0/0            0.0.0.0/0            tcp dpt:80 /* "a" */\n'
    )
    lines = [json.dumps({"log": f"{line}\n", "stream": "stdout"}) for line in listing.splitlines()]
    dump = read_dump("\n".join(lines) + "\n")
    assert [rule.text for rule in rules_of(dump)] == [rule.text for rule in rules_of(read_dump(listing))] != []
    assert any("3 lines: what is before each" in warning for warning in dump.warnings)


@pytest.mark.parametrize("mark", ["", "# "])
def test_a_warning_about_the_other_backend_is_found_anywhere(mark: str) -> None:
    said = f"{mark}Warning: iptables-legacy tables present, use iptables-legacy to see them"
    dump = read_dump(f"{_RULE}\n{said}\n")
    assert any("iptables-legacy also holds rules" in warning for warning in dump.warnings)


def test_rows_whose_chain_is_not_shown_are_left_out_and_named() -> None:
    row = "    0     0 KUBE-MARK-MASQ  tcp  --  *      *       127.0.0.0/8          0.0.0.0/0            tcp dpt:31819"
    dump = read_dump(f"{row}\n\n{_RULE}\n")
    assert len(rules_of(dump)) == 1
    assert any("whose chain is not in the text" in warning for warning in dump.warnings)


def test_a_text_without_any_rule_is_still_refused() -> None:
    with pytest.raises(DumpSyntaxError):
        read_dump("Here is what the node has for the service:\nnothing at all\n")


@pytest.mark.parametrize("lenient", [False, True])
def test_lines_that_a_window_cut_off_are_left_out_and_named(lenient: bool) -> None:
    text = "*nat\n:PREROUTING ACCEPT [0:0]\n:A - [0:0]\n:B - [0:0]\n-A PREROUTING -j A\n"
    text += (
        "".join(f"{line[:88]}\n" for line in (_long("A", 2), _long("A", 3), _long("B", 4))) + "-A B -j RETURN\nCOMMIT\n"
    )
    dump = read_dump(text, lenient=lenient)
    (ruleset,) = dump.rulesets
    assert [rule.text for rule in rules_of(dump)] == ["-A PREROUTING -j A", "-A B -j RETURN"]
    assert [ruleset.extent("nat", chain) for chain in ("PREROUTING", "A", "B")] == [
        Extent.WHOLE, Extent.HOLED, Extent.HOLED
    ]  # fmt: skip
    assert any("3 lines end at column 88" in warning for warning in dump.warnings)


def test_long_lines_are_left_in_where_others_cannot_be_read_either() -> None:
    text = "".join(f"{line}\n" for line in (_long("A", 2), _long("A", 3), "-A A --nonsense"))
    with pytest.raises(DumpSyntaxError):
        read_dump(text)
    assert len(rules_of(read_dump(text, lenient=True))) == 2


def _long(chain: str, number: int) -> str:
    return f'-A {chain} -p tcp -m comment --comment "{"x" * 30} {number}" -m tcp -j DNAT --to-destination 10.0.0.{number}:80'


@pytest.mark.parametrize("quote", ["", "> ", ">> "])
@pytest.mark.parametrize("width", [40, 72])
def test_rules_that_mail_wrapped_and_quoted_are_joined(width: int, quote: str) -> None:
    comment = '-m comment --comment "demo/web cluster IP"'
    rules = [
        f"-A KUBE-SVC-A ! -s 10.244.0.0/16 -d 10.96.0.9/32 -p tcp {comment} -m tcp --dport 80 -j KUBE-MARK-MASQ",
        f"{_RULE[:-14]} -m statistic --mode random --probability 0.5 -j KUBE-SEP-A",
    ]
    pieces = [piece for rule in rules for piece in textwrap.wrap(rule, width, break_on_hyphens=False)]
    assert _texts("".join(f"{quote}{piece}\n" for piece in pieces)) == _texts("\n".join(rules) + "\n")


def test_line_breaks_of_a_page_are_no_part_of_names() -> None:
    assert _texts(f"{_RULE}<br>\n{_RULE}<br/>\n".replace('"', "&quot;"))[0] == _RULE


@pytest.mark.parametrize(
    "text",
    [
        "-A -t 10.96.0.1:443 -s rr\n-a -t 10.96.0.1:443 -r 192.168.50.10:6443 -m -w 1\n",
        "create KUBE-LOOP-BACK hash:ip,port,ip family inet hashsize 1024 maxelem 65536\n",
        "3: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN group default \n    inet 10.96.0.1/32 scope global kube-ipvs0\n",
    ],
)
def test_added_lines_of_the_tools_of_ipvs_are_read_too(text: str) -> None:
    plain, diff = read_dump(text), read_dump("".join(f"+{line}\n" for line in text.splitlines()))
    assert bool(diff.node)
    assert repr(diff.node) == repr(plain.node)
    assert len(diff.warnings) == len(plain.warnings) + 1


def test_a_diff_of_virtual_servers_beside_rules_is_named() -> None:
    with pytest.raises(DumpSyntaxError, match="this comes from a diff"):
        read_dump(f"{_RULE}\n+-A -t 10.96.0.1:443 -s rr\n")
