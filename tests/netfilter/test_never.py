"""Conditions that hold for every packet or for none."""

from __future__ import annotations

import pytest

from ipt_explain.netfilter.certainty.never import certainty_of, deciding_slots
from tests.netfilter.test_containment import rules


@pytest.mark.parametrize(
    "condition",
    [
        "-m statistic --mode random --probability 0.00000000000",
        "-m statistic --mode random --probability 0.00000000023",  # rounds to 0 of 2^31
        "-m statistic --mode random ! --probability 1.00000000000",
        "-m mark --mark 0x3/0x1",
        "-p tcp -m tcp ! --dport 0:65535",
        "! -s 0.0.0.0/0",
        "! -i +",
        "-p tcp -m tcp --dport 80 -m multiport --dports 443,8443",
        "-m conntrack --ctstate NEW -m state --state ESTABLISHED",
        "-s 10.0.0.0/8 -m iprange --src-range 192.168.0.1-192.168.0.9",
        "-m conntrack ! --ctstate INVALID,NEW,ESTABLISHED,RELATED,UNTRACKED",
    ],
)
def test_no_packet_matches(condition: str) -> None:
    (rule,) = rules(f"{condition} -j DROP")
    certainty = certainty_of(rule)
    assert certainty is not None
    assert not certainty.matches
    assert deciding_slots(rule.shape) or "+" in condition or "0.0.0.0" in condition


@pytest.mark.parametrize(
    "condition",
    [
        "-m statistic --mode random --probability 1.00000000000",
        "-m statistic --mode nth --every 1 --packet 0",
        "-m mark ! --mark 0x3/0x1",
    ],
)
def test_every_packet_matches(condition: str) -> None:
    (rule,) = rules(f"{condition} -j DROP")
    certainty = certainty_of(rule)
    assert certainty is not None
    assert certainty.matches


@pytest.mark.parametrize(
    "condition",
    [
        "-m statistic --mode random --probability 0.50000000000",
        "-m mark --mark 0x4000/0x4000",
        "! -s 10.244.0.0/16 -d 10.96.0.1/32",
        "-p tcp -m tcp --dport 80 -m multiport --dports 80,443",
        "-s 10.0.0.0/8 -m iprange --src-range 10.0.0.1-10.0.0.9",
        "-m conntrack --ctstate NEW -m state --state NEW,RELATED",
    ],
)
def test_it_depends_on_the_packet(condition: str) -> None:
    (rule,) = rules(f"{condition} -j DROP")
    assert certainty_of(rule) is None
