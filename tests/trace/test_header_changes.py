"""Matches on the header after a rule has changed what they read: known again, or asked anew."""

from __future__ import annotations

import pytest

from ipt_explain.trace import Trace
from tests.trace.helpers import go, only

MARKED = "-j MARK --set-xmark 0x1/0x1"
_STOP = "filter -A FORWARD -m mark --mark 0x1 {} -j DROP"


def _questions(told: Trace) -> set[str]:
    return {text.rpartition("=")[0] for outcome in told.outcomes for text in outcome.assumptions}


@pytest.mark.parametrize(
    ("change", "match", "verdict"),
    [
        ("TTL --ttl-set 10", "-m ttl --ttl-eq 9", "DROP"),
        ("TTL --ttl-set 10", "-m ttl --ttl-eq 10", "ACCEPT"),  # forwarding has taken one
        ("TTL --ttl-set 10", "-m ttl ! --ttl-eq 10", "DROP"),
        ("TTL --ttl-set 10", "-m ttl --ttl-lt 9", "ACCEPT"),
        ("TTL --ttl-set 10", "-m ttl --ttl-gt 8", "DROP"),
        ("TOS --set-tos 0x10/0xff", "-m tos --tos 0x10/0x3f", "DROP"),
        ("TOS --set-tos 0x10/0xff", "-m tos ! --tos 0x10/0x3f", "ACCEPT"),
        ("TOS --set-tos 0x10/0xff", "-m dscp --dscp 0x04", "DROP"),
        ("TOS --set-tos 0x10/0x10", "-m tos --tos 0x00/0xff", "ACCEPT"),  # one bit known is enough for no
        ("DSCP --set-dscp 0x2e", "-m dscp --dscp-class EF", "DROP"),
        ("DSCP --set-dscp-class AF11", "-m dscp --dscp 0x0a", "DROP"),
        ("DSCP --set-dscp 0x2e", "-m tos --tos 0x00/0x08", "ACCEPT"),
    ],
)
def test_what_a_rule_has_set_is_known(change: str, match: str, verdict: str) -> None:
    assert only(go(f"mangle -A PREROUTING -j {change}\nfilter -A FORWARD {match} -j DROP"))[0] == verdict


@pytest.mark.parametrize(
    ("change", "match", "asked"),
    [
        ("TTL --ttl-inc 3", "-m ttl --ttl-eq 64", "-m ttl --ttl-eq 64 (of the TTL raised by 2)"),
        ("TOS --xor-tos 0x04", "-m tos --tos 0x04/0x04", "-m tos --tos 0x04/0x04 (of the TOS that rules have changed)"),
        ("TOS --set-tos 0x10/0x10", "-m tos --tos 0x10/0xff", "-m tos --tos 0x10/0xff (of the TOS that rules have changed)"),
        ("DSCP --set-dscp 0x01", "-m tos --tos 0x01/0x03", "-m tos --tos 0x01/0x03"),  # other bits
    ],
)  # fmt: skip
def test_a_question_names_the_current_value(change: str, match: str, asked: str) -> None:
    assert _questions(go(f"mangle -A PREROUTING -j {change}\nfilter -A FORWARD {match} -j DROP")) == {asked}


def test_a_change_reopens_the_question() -> None:
    before, after = "-m ttl --ttl-eq 64", "-m ttl --ttl-eq 64 (of the TTL lowered by 1)"
    told = go(f"mangle -A PREROUTING {before} {MARKED}\n{_STOP.format(before)}")
    assert _questions(told) == {before, after}
    unforwarded = go(f"mangle -A PREROUTING {before} {MARKED}\nnat -A PREROUTING -m mark --mark 0x1 {before} -j DNAT --to-destination 10.0.0.1")
    assert {outcome.dnat for outcome in unforwarded.outcomes if f"{before}=yes" in outcome.assumptions} == {"10.0.0.1:80"}


def test_u32_is_an_open_question_again_after_dnat() -> None:
    match = '-m u32 --u32 "0x10=0xa600000"'
    rules = f"mangle -A PREROUTING {match} {MARKED}\nnat -A PREROUTING -j DNAT --to-destination 10.0.0.1\n{_STOP.format(match)}"
    asked = _questions(go(rules))
    assert asked == {"-m u32 --u32 0x10=0xa600000", "-m u32 --u32 0x10=0xa600000 (after DNAT and TTL)"}
