"""Where Services are unknown, explain says which input would answer that, and what no input answers."""

from __future__ import annotations

import re

from tests.archives import read_archive
from tests.audit.edits import captured
from tests.audit.test_lost_traffic import with_rule
from tests.cli.program import SAMPLES, run

FOLLOW = "follow one with ipt-explain trace (--from, -i, --out-interface, --assume)."
NODE = captured("1.30", "policy")
ADDRESSES = """1: lo    inet 127.0.0.1/8 scope host lo
2: eth0    inet 192.168.50.11/24 brd 192.168.50.255 scope global eth0
"""


def said(text: str) -> str:
    """What explain prints, on one line."""
    return " ".join(run("explain", "-", stdin=text).out.split())


def test_interfaces_are_in_no_output() -> None:
    text = read_archive("neighbours")["calico-ahead.txt"].decode()
    for more in ("", ADDRESSES):
        assert f"This differs from connection to connection, and no other input answers it: {FOLLOW}" in said(text + more)


def test_sets_are_asked_for_until_they_are_given() -> None:
    text = with_rule(NODE, "mangle", "PREROUTING", "-m set --match-set banned src -j DROP")
    assert said(text).endswith("The output of `ipset save` on this node may answer some of this: add it to the input.")
    told = said(f"{text}create banned hash:ip family inet\nadd banned 198.51.100.9\n")
    assert "`ipset save`" not in told
    assert " unknown " not in told


def test_addresses_are_asked_for_until_they_are_given() -> None:
    text = with_rule(NODE, "filter", "INPUT", "-p tcp -m tcp --dport 6443 -j DROP")
    assert "The output of `ip -o addr` on this node may answer some of this: add it to the input." in said(text)
    told = said(text + ADDRESSES)
    assert "`ip -o addr`" not in told
    assert " unknown " not in told


def test_known_services_need_nothing() -> None:
    for sample in ("kube-proxy-1.30-basic.txt", "fragment-1-one-pod.txt"):
        assert not re.search(r"ipt-explain trace|add it to the input", run("explain", SAMPLES / sample).out)
