"""What people paste instead of a dump is named, at the place that gives it away, with what to do."""

from __future__ import annotations

import re

import pytest

from ipt_explain.errors import DumpSyntaxError
from ipt_explain.parsing import read_dump
from ipt_explain.parsing.iptables.diagnosis import diagnose, recognise

RULE = '-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns" -j KUBE-SVC-TCOU'

# (line, text underlined, what the message names)
FOREIGN_LINES = [
    ("Chain PREROUTING (policy ACCEPT)", "Chain", "iptables -L"),
    ("Chain KUBE-SVC-TCOU7JCQXEZGVUNU (2 references)", "Chain", "iptables -L"),
    ("Chain INPUT (policy ACCEPT 3386K packets, 2827M bytes)", "Chain", "iptables -L"),
    ("target     prot opt source               destination", "target     prot opt", "iptables -L"),
    (" pkts bytes target     prot opt in     out     source", "target     prot opt", "iptables -L"),
    ("num  target     prot opt source               destination", "target     prot opt", "iptables -L"),
    ("ACCEPT     all  --  anywhere             anywhere", "all  --", "iptables -L"),
    (" 167M  113G KUBE-FIREWALL  all  --  *      *       0.0.0.0/0            0.0.0.0/0", "all  --", "iptables -L"),
    ("3    KUBE-SERVICES  tcp  --  0.0.0.0/0            0.0.0.0/0", "tcp  --", "iptables -L"),
    ("table ip nat {", "table ip nat {", "nftables"),
    ("\tchain KUBE-SERVICES {", "chain KUBE-SERVICES {", "nftables"),
    ("\t\ttype nat hook prerouting priority dstnat; policy accept;", "type nat hook ", "nftables"),
    ("add rule ip nat POSTROUTING counter masquerade", "add rule ip ", "nftables"),
    ("table ip kube-proxy {", "table ip kube-proxy", "kube-proxy in nftables mode"),
    ('{"nftables": [{"metainfo": {"version": "1.0.6"}}]}', '{"nftables":', "nft -j"),
    ("tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2", "tcp      6", "conntrack"),
    ("default via 192.168.1.1 dev eth0", "default via 1", "ip route"),
    ("10.244.0.0/24 dev cni0 proto kernel scope link src 10.244.0.1", "10.244.0.0/24 dev c", "ip route"),
    ("unreachable default dev lo metric 4294967295 error -101", "unreachable default dev l", "ip route"),
    ("iptables -t nat -A POSTROUTING -j MASQUERADE", "iptables", "command"),
    ("sudo iptables -A INPUT -p tcp --dport 22 -j ACCEPT", "iptables", "command"),
    ("/usr/sbin/ip6tables -w 5 -I INPUT -j DROP", "/usr/sbin/ip6tables", "command"),
    ("$IPT -A INPUT -i lo -j ACCEPT", "$IPT", "command"),
    ("root@node:~# iptables -N MINE", "iptables", "command"),
    ("#!/bin/sh", "#!", "script"),
    ("iptables-restore <<EOF", "iptables-restore", "feeds rules"),
    ("EOF", "EOF", "here-document"),
    ("$ kubectl get pods", "$ kubectl", "shell prompt"),
    ("NAME         TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE", "NAME         TYPE", "kubectl get"),
    ("apiVersion: v1", "apiVersion:", "Kubernetes object"),
    ('    "kind": "Service",', '"kind":', "Kubernetes object"),
    ("{", "{", "JSON"),
    ("<!DOCTYPE html>", "<!DOCTYPE", "HTML"),
    ("<pre><code>-A INPUT -j DROP", "<pre>", "HTML"),
    ("+" + RULE, "+", "diff"),
    ("-" + RULE, "-", "diff"),
    ("@@ -12,3 +12,4 @@", "@@ -12,3 +12,4 @@", "diff"),
    ("28a29", "28a29", "diff"),
    ("< " + RULE, "<", "diff"),
    ("node-1.txt:" + RULE, "node-1.txt:", "grep"),
    ("node-1.txt:12:" + RULE, "node-1.txt:12:", "grep"),
    ("      2 " + RULE, "      2", "line number or count"),
    ("Nov 14 11:06:11 node kube-proxy[12085]: " + RULE, "Nov 14 11:06:11 node kube-proxy[12085]:", "log"),
    ("I1114 11:06:11.978073   12085 proxier.go:1282] synced", "I1114 11:06:11.978073", "log"),
    ('time="2018-01-09T16:17:38Z" level=debug obj="-A X -j Y"', 'time="2018-01-09T16:17:38Z"', "log"),
    ("* nat", "* nat", "no space"),
    ("*bogus", "bogus", "no such table"),
    ("commit", "commit", "capitals"),
    ("COM", "COM", "cut off"),
    (":INPUT ACCEPT [a:b]", "[a:b]", "counters"),
    ("[a:b] -A INPUT -j ACCEPT", "[a:b]", "counters"),
    (":INPUT accept [0:0]", "accept", "policy"),
    (":KUBE-SVC-TCOU7JCQXEZGVUNU", ":KUBE-SVC-TCOU7JCQXEZGVUNU", "lacks its policy"),
    ("A KUBE-SERVICES -d 10.96.0.10/32 -j ACCEPT", "A KUBE-SERVICES -d ", "hyphen"),
    ("```bash", "```", "Markdown"),
    ("...", "...", "left out"),
    ("iptables-save v1.8.7 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)",
     "iptables-save v1.8.7 (nf_tables): ", "error message"),
    ("-bash: iptables-save: command not found", "command not found", "error message"),
    ("Error from server (NotFound): nodes \"x\" not found", "Error from server", "kubectl"),
    ("Warning: iptables-legacy tables present, use iptables-legacy to see them",
     "Warning: iptables-legacy tables present", "other backend"),
    ("hello world this is not iptables", "hello", "not iptables-save syntax"),
]  # fmt: skip

BROKEN_RULES = [
    ("-A INPUT -s ! 192.168.122.0/24 -j ACCEPT", "!", "follows its option"),
    ("-A INPUT ! ! -s 1.2.3.4/32 -j ACCEPT", "!", "two negations"),
    ("-A INPUT -m comment --comment 'two words' -j ACCEPT", "'", "single quotes"),
    ("-A INPUT -j ACCEPT -j DROP", "-j", "second target"),
    ("-A INPUT -j ACCEPT # lets all in", "#", "comment follows"),
    ('-A INPUT -m comment --comment "never closed -j ACCEPT', '"', "never closed"),
    ("-A INPUT -p tcp … -j ACCEPT", "…", "left out"),
    ("-A INPUT -m comment –comment x -j ACCEPT", "–", "typographic dash"),
    ("-A INPUT -m comment --comment “x y” -j ACCEPT", "“", "typographic quotation"),
    ("-A INPUT -m comment --comment ‘x y’ -j ACCEPT", "‘", "typographic apostrophe"),
    ("-A INPUT\u00a0-j ACCEPT", "\u00a0", "no-break space"),
    ("-A INPUT -m comment --comment &quot;x y&quot; -j ACCEPT", "&quot;", "HTML page"),
    ("-A INPUT -p tcp\0 -j ACCEPT", "\0", "NUL"),
    ("-A INPUT -j \x1b[31mDROP\x1b[0m", "\x1b[31m", "colour"),
]


@pytest.mark.parametrize(("line", "underlined", "named"), FOREIGN_LINES + BROKEN_RULES)
def test_names_what_was_pasted_and_where(line: str, underlined: str, named: str) -> None:
    found = diagnose(line)
    assert found is not None
    assert named in found.message
    assert line[found.column - 1 : found.column - 1 + found.width] == underlined


@pytest.mark.parametrize(("line", "named"), [(line, named) for line, _, named in FOREIGN_LINES])
def test_says_what_to_do(line: str, named: str) -> None:
    found = diagnose(line)
    assert found is not None and found.remedy


def test_a_rule_with_nothing_known_wrong_is_left_to_the_grammar() -> None:
    assert diagnose("-A INPUT -p tcp -m tcp --dport") is None


def test_the_old_negation_is_answered_with_the_new_one() -> None:
    found = diagnose("-A INPUT -s ! 192.168.122.0/24 -j ACCEPT")
    assert found is not None and "! -s" in found.remedy


@pytest.mark.parametrize(
    "rest", ["-j KUBE-SVC-TCOU7JCQXEZGVUNU", 'be-dns:dns" -j KUBE-MARK-MASQ', "--dport 53 -j ACCEPT"]
)
def test_a_rule_broken_by_a_terminal(rest: str) -> None:
    found = diagnose(rest, previous='-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/ku')
    assert found is not None and "broken into two lines" in found.message


WHOLE_INPUTS = [
    ("", 1, "empty"),
    ("\n\n", 1, "empty"),
    ("\x7fELF\x02\x01\x01\0\0", 1, "ELF"),
    ("\udcff\udcfe#\0 \0G\0", 1, "UTF-16"),
    ("*\0n\0a\0t\0\n\0", 1, "UTF-16"),
    ("\x1f\udc8b\x08\0\0", 1, "gzip"),
    (
        "# Generated by iptables-save v1.8.4 on Thu May 12\r*nat\r:INPUT ACCEPT [0:0]\rCOMMIT\r\n",
        1,
        "carriage",
    ),
    ("Chain INPUT (policy ACCEPT)\ntarget     prot opt source               destination\n", 1, "iptables -L"),
    ("root@cp:~# iptables -L\nChain INPUT (policy ACCEPT)\n", 2, "iptables -L"),
    ("\n\ntable ip filter {\n\tchain INPUT {\n", 3, "nftables"),
    ('{\n  "apiVersion": "v1",\n', 1, "JSON"),
    ("#!/bin/bash\nIPT=/sbin/iptables\n$IPT -A INPUT -j ACCEPT\n", 1, "script"),
    ("<!DOCTYPE html>\n<html>\n<pre>-A INPUT -j DROP</pre>\n", 1, "HTML"),
]


@pytest.mark.parametrize(("text", "line", "named"), WHOLE_INPUTS)
def test_recognises_an_input_that_is_something_else(text: str, line: int, named: str) -> None:
    found = recognise(text)
    assert found is not None
    assert (found.line, named in found.diagnosis.message) == (line, True)
    assert found.diagnosis.remedy


@pytest.mark.parametrize(
    "text",
    [
        f"*nat\n{RULE}\nCOMMIT\n",
        f"{RULE}\nChain INPUT (policy ACCEPT)\n",
        f"$ iptables-save\n{RULE}\n",
        f"> {RULE}\n",
    ],
)
def test_a_dump_with_something_strange_in_it_stays_a_dump(text: str) -> None:
    assert recognise(text) is None


@pytest.mark.parametrize(
    "unit",
    ["x", "-", '"', "> ", "-A ", "--", "“", "[", "<", "a:", "iptables ", ' -j "', ": ", "/", "\\", "!", "kubectl "],
)
def test_lines_of_many_megabytes_are_looked_at_in_part(unit: str) -> None:
    line = unit * (2_000_000 // len(unit))
    for start in ("", "-A X ", "root@h:~# ", "$ kubectl "):
        found = diagnose(start + line, previous="-A X " + line)
        assert found is None or found.column <= 16_385


def test_messages_are_one_sentence_without_control_characters() -> None:
    for line, _, _ in FOREIGN_LINES + BROKEN_RULES:
        found = diagnose(line)
        assert found is not None
        assert re.fullmatch(r"[^\x00-\x1f\x7f]+", found.message) and not found.message.endswith(".")


def test_counters_are_not_blamed_for_the_error_after_them() -> None:
    with pytest.raises(DumpSyntaxError) as error:
        read_dump("[0:0] -A INPUT -i a b -j ACCEPT\n")
    assert (error.value.column, error.value.diagnostics[0].message) == (21, "`b` is one argument too many for -i")
