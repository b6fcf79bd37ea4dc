"""A line read by the pattern of its form is what Lark reads, and what Lark refuses no pattern takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark

from ipt_explain.parsing.ipvs.grammars import ip_addr_grammar, ipset_grammar, ipvsadm_grammar
from ipt_explain.parsing.line_forms import LineForms, Refusal, parse_line
from tests.ipvs_corpus import ipvs_nodes

MORE = {
    "ipvsadm": [
        "-A -f 7 -6 -s wrr -p 300 -M 64 pe sip -o",
        "-A --sctp-service [fd00::1]:5060 -s mh -b mh-port,mh-fallback",
        "-a -f 7 -r 10.0.0.1:0 -i -w 0 -x 100 -y 50 --tun-type gue --tun-port 6080 --tun-nocsum",
        "--add-service --tcp-service 10.0.0.1:80 --scheduler rr --persistent 10800",
        "TCP  10.0.0.1:80 mh (mh-fallback,mh-port) persistent 10 mask 255.255.255.0 pe sip ops",
        "FWM  1 IPv6 rr",
        "TCP  0A600001:01BB wrr ops persistent 10800 FFFFFFFF",
        "  -> C0A8320A:1A85      Masq    3      12         0",
        "TCP  10.0.0.1:80                         1        5K       0      300M        0",
        "  -> 10.0.0.2:80                         1        5        0      300        0",
        "TCP 14:59  ESTABLISHED 10.0.0.9:40000 10.0.0.1:80 10.0.0.2:80",
    ],
    "ipset": [
        "create x hash:ip,port family inet hashsize 1024 maxelem 65536 timeout 600 counters comment bucketsize 12",
        'add x 10.0.0.1,icmp:echo-request timeout 599 packets 0 bytes 0 comment "a b"',
        "add x 10.0.0.0/8,physdev:eth0 nomatch",
        "add x fd00::/16 skbmark 0x1111/0xff00ffff skbprio 1:10 skbqueue 10",
        "add x 10.0.0.1,0x00000063",
        "add x cali40s:abc",
        "add x 10.0.0.0/8,tcp:80,192.168.0.0/16",
    ],
    "ip_addr": [
        "2: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000",
        "2: eth0    inet 192.0.2.10/24 brd 192.0.2.255 scope global dynamic eth0\\       valid_lft 80sec preferred_lft 80sec",
        "    inet 10.9.9.9 peer 10.9.9.8/32 scope global lo",
        "    inet6 fe80::1/64 scope link ",
        "eth0@if5         UP             192.0.2.10/24 fe80::1/64 ",
        "lo               UNKNOWN        10.9.9.9 peer 10.9.9.8/32",
        "    altname enp0s3",
    ],
}  # fmt: skip


def corpus(tool: str) -> Iterator[str]:
    for node in ipvs_nodes():
        if tool == "ipvsadm":
            text = node.files["ipvsadm-save"] + node.files["ipvsadm-Ln"]
        else:
            text = node.files["ipset-save" if tool == "ipset" else "ip-addr-kube-ipvs0"]
        yield from filter(str.strip, text.split("\n"))
    yield from MORE[tool]


GRAMMARS = {"ipvsadm": ipvsadm_grammar, "ipset": ipset_grammar, "ip_addr": ip_addr_grammar}
LINES = {tool: list(dict.fromkeys(corpus(tool))) for tool in GRAMMARS}


def by_lark(grammar: Lark, line: str) -> tuple[str, list[tuple[str, str]]] | None:
    try:
        kind, tokens, _ = parse_line(grammar, "line", line)
    except Refusal:
        return None
    return kind, [(token.type, str(token)) for token in tokens]


def by_forms(forms: LineForms, line: str) -> tuple[str, list[tuple[str, str]]] | None:
    try:
        read = forms.read(line)
    except Refusal:
        return None
    return read.form.kind, list(zip(read.form.terminals, read.words))


@pytest.mark.parametrize("tool", GRAMMARS)
def test_captured_lines(tool: str) -> None:
    grammar, forms = GRAMMARS[tool](), LineForms(GRAMMARS[tool](), "line")
    for line in [*LINES[tool], *LINES[tool]]:
        read = by_forms(forms, line)
        assert read is not None, line
        assert read == by_lark(grammar, line)


@pytest.mark.parametrize("tool", GRAMMARS)
@given(data=st.data())
@settings(max_examples=300)
def test_lines_that_were_changed(tool: str, data: st.DataObject) -> None:
    """Words of one line in another, doubled, cut, with other characters: both speeds agree on each."""
    grammar, forms = GRAMMARS[tool](), LineForms(GRAMMARS[tool](), "line")
    for line in LINES[tool][-40:] * 2:
        by_forms(forms, line)
    line = data.draw(st.sampled_from(LINES[tool]))
    words = line.split(" ")
    place = data.draw(st.integers(0, len(words) - 1))
    word = data.draw(
        st.sampled_from([w for each in LINES[tool][-40:] for w in each.split(" ")]) | st.text("0aZ.:,-[]/(", max_size=9)
    )
    changed = [
        *words[:place],
        *data.draw(st.sampled_from([[word], [word, words[place]], [], [words[place] + word]])),
        *words[place + 1 :],
    ]
    line = " ".join(changed)
    assert by_forms(forms, line) == by_lark(grammar, line)
