"""Whether one rule takes all packets of another: exact, or not said."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_explain.model import Rule
from ipt_explain.netfilter.certainty.containment import contains, shape_conditions
from ipt_explain.parsing import read_dump


def rules(*texts: str) -> list[Rule]:
    dump = read_dump("".join(f"-A INPUT {text}\n" for text in texts))
    return [rule for ruleset in dump.rulesets for rule in ruleset.tables["filter"].chains["INPUT"].rules]


def covers(wide: str, narrow: str) -> bool:
    one, other = rules(f"{wide} -j DROP", f"{narrow} -j DROP")
    return contains(shape_conditions(one.shape), one, shape_conditions(other.shape), other)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("", "-s 10.0.0.1/32 -p tcp -m tcp --dport 22"),
        ("-s 10.0.0.0/8", "-s 10.1.0.0/16"),
        ("! -s 10.1.0.0/16", "-s 10.2.0.0/16"),
        ("! -s 10.1.0.0/16", "! -s 10.0.0.0/8"),
        ("-i eth+", "-i eth0"),
        ("-p tcp -m tcp --dport 1:1024", "-p tcp -m tcp --dport 22"),
        ("-p tcp -m multiport --dports 22,80", "-p tcp -m tcp --dport 80"),
        ("-p tcp -m tcp ! --dport 22", "-p tcp -m tcp --dport 80"),
        ("-m conntrack --ctstate NEW,ESTABLISHED", "-m conntrack --ctstate NEW -s 10.0.0.1/32"),
        ("-m state --state NEW", "-m conntrack --ctstate NEW"),
        ("-m addrtype --dst-type LOCAL", "-m addrtype --dst-type LOCAL -m limit --limit 5/sec"),
        ("-m comment --comment one", "-m comment --comment two"),
    ],
)
def test_the_wider_rule_contains_the_narrower(wide: str, narrow: str) -> None:
    assert covers(wide, narrow)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("-s 10.1.0.0/16", "-s 10.0.0.0/8"),
        ("-s 10.0.0.0/8", ""),
        ("-p udp", "-p tcp"),
        ("! -s 10.0.0.0/8", "-s 10.1.0.0/16"),
        ("! -s 10.0.0.0/8", "! -s 10.1.0.0/16"),
        ("-i eth0", "-i eth+"),
        ("-p tcp -m tcp --dport 22:80", "-p tcp -m multiport --dports 22,443"),
        ("-m limit --limit 5/sec", "-m limit --limit 5/sec"),
        ("-m statistic --mode random --probability 0.5", "-s 10.0.0.1/32"),
        ("-m mark --mark 0x1/0x1", "-m mark --mark 0x1/0x1"),
        ("-m set --match-set a src", "-m set --match-set a src"),
        ("-m addrtype --dst-type LOCAL --limit-iface-in", "-m addrtype --dst-type LOCAL"),
        ("-m conntrack ! --ctstate DNAT", "-m conntrack --ctstate NEW"),
    ],
)
def test_nothing_is_guessed(wide: str, narrow: str) -> None:
    assert not covers(wide, narrow)


@dataclass(frozen=True)
class Toy:
    """A rule over a universe small enough to try every packet: 16 sources, 16 ports, two protocols."""

    prefix: int
    source: int
    not_source: bool
    first: int
    last: int
    not_port: bool
    protocol: str

    @property
    def text(self) -> str:
        source = (
            f"{'! ' if self.not_source else ''}-s 10.0.0.{self.source << (4 - self.prefix) & 15}/{28 + self.prefix}"
        )
        ports = f"{'! ' if self.not_port else ''}--dport {self.first}:{self.last}"
        return f"{source} -p {self.protocol} -m {self.protocol} {ports}"

    def matches(self, source: int, port: int, protocol: str) -> bool:
        low = self.source << (4 - self.prefix) & 15
        inside = low <= source < low + (1 << (4 - self.prefix))
        return (
            inside is not self.not_source
            and (self.first <= port <= self.last) is not self.not_port
            and protocol == self.protocol
        )


small = st.integers(0, 15)
toys = st.builds(
    lambda prefix, source, not_source, ports, not_port, protocol: Toy(
        prefix, source, not_source, min(ports), max(ports), not_port, protocol
    ),
    st.integers(0, 4),
    small,
    st.booleans(),
    st.tuples(small, small),
    st.booleans(),
    st.sampled_from(["tcp", "udp"]),
)


@given(toys, toys)
def test_no_packet_refutes_a_containment(wide: Toy, narrow: Toy) -> None:
    if covers(wide.text, narrow.text):
        for packet in product(range(16), range(16), ("tcp", "udp")):
            assert not narrow.matches(*packet) or wide.matches(*packet)
