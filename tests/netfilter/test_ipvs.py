"""Which virtual server takes a packet, and where it sends it."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ipt_explain.model import Family
from ipt_explain.model.node import VirtualServers
from ipt_explain.netfilter.header import ICMP, TCP, UDP, parse_address
from ipt_explain.netfilter.ipvs.taking import Taken, balancers
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.truth import Truth
from ipt_explain.parsing import read_dump


def servers(text: str) -> VirtualServers:
    found = read_dump(text).node.virtual_servers
    assert found is not None
    return found


def taken(text: str, port: int | None = 80, protocol: int = TCP, mark: int = 0) -> Taken | Truth:
    return balancers(servers(text)).take(Family.IPV4, protocol, parse_address("10.0.0.1"), port, mark)


def with_weights(scheduler: str, *weights: int, extra: str = "") -> str:
    lines = [f"-A -t 10.0.0.1:80 -s {scheduler}"]
    lines += [f"-a -t 10.0.0.1:80 -r 10.1.0.{n}:8080 -m -w {weight}{extra}" for n, weight in enumerate(weights)]
    return "\n".join(lines) + "\n"


HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


@pytest.mark.parametrize(
    ("scheduler", "weights", "shares"),
    [
        ("rr", (1, 1, 1), [THIRD] * 3),
        ("rr", (5, 1), [HALF] * 2),
        ("rr", (0, 1, 1), [HALF] * 2),
        ("wrr", (3, 1, 0), [Fraction(3, 4), Fraction(1, 4)]),
        ("lc", (1, 1), [None, None]),
        ("sh", (1, 1), [None, None]),
        ("lc", (1,), [Fraction(1)]),
        ("sed", (0, 2), [Fraction(1)]),
        ("sh", (0, 2), [None]),
        ("mh", (0, 2), [None]),
        ("sh -b sh-fallback", (0, 2), [Fraction(1)]),
        ("mh -b flag-1,mh-port", (0, 2), [Fraction(1)]),
        ("fo", (2, 1), [Fraction(1)]),
        ("fo", (2, 2), [None, None]),
        ("unheard", (1, 1), [None, None]),
    ],
)
def test_shares(scheduler: str, weights: tuple[int, ...], shares: list[Fraction | None]) -> None:
    found = taken(with_weights(scheduler, *weights))
    assert isinstance(found, Taken)
    assert [each.share for each in found.destinations] == shares
    assert {each.to.port for each in found.destinations if each.to} == {8080}


def test_thresholds_leave_it_to_load() -> None:
    found = taken(with_weights("rr", 1, 1, extra=" -x 10 -y 5"))
    assert isinstance(found, Taken)
    assert [each.share for each in found.destinations] == [None, None]


@pytest.mark.parametrize(
    ("scheduler", "weights", "limit", "refused"),
    [
        ("sh", (0, 1), "", True),
        ("mh", (0, 1), "", True),
        ("sh", (1, 1), "", False),
        ("sh -b sh-fallback", (0, 1), "", False),
        ("rr", (0, 1), "", False),
        ("rr", (1, 1), " -x 10", True),
        ("ovf", (1, 1), "", True),
    ],
)
def test_some_servers_take_connections_but_not_all(
    scheduler: str, weights: tuple[int, ...], limit: str, refused: bool
) -> None:
    """Those that hash to a draining server are refused, and all are if every server is at its limit."""
    found = taken(with_weights(scheduler, *weights, extra=limit))
    assert isinstance(found, Taken) and not found.refused
    assert found.may_be_refused is refused


@pytest.mark.parametrize("weights", [(), (0,), (0, 0)])
def test_nobody_to_send_to_is_a_refusal(weights: tuple[int, ...]) -> None:
    found = taken(with_weights("rr", *weights))
    assert isinstance(found, Taken) and found.refused


def test_packets_that_no_virtual_server_takes() -> None:
    text = with_weights("rr", 1)
    assert taken(text, port=81) is Truth.NO
    assert taken(text, protocol=UDP) is Truth.NO
    assert taken(text, port=None, protocol=ICMP) is Truth.NO
    assert taken(text, port=None) is Truth.UNKNOWN


def test_servers_that_are_not_all_known() -> None:
    cut = "  -> 10.9.9.9:80 Masq 1 0 0\nTCP  10.0.0.1:80 rr\n"
    assert taken(cut, port=81) is Truth.UNKNOWN
    assert isinstance(taken(cut), Taken)


def test_a_mark_goes_before_addresses_and_keeps_the_port() -> None:
    text = with_weights("rr", 1) + "-A -f 7 -s rr\n-a -f 7 -r 10.3.0.1:0 -m -w 1\n"
    found = taken(text, mark=7)
    assert isinstance(found, Taken) and found.server.fwmark == 7
    assert found.destinations[0].to == Heading(parse_address("10.3.0.1"), 80)
    assert isinstance(taken(text, mark=8), Taken)


def test_port_0_stands_for_all_and_21_for_data_of_ftp() -> None:
    everything = "-A -t 10.0.0.1:0 -s rr -p 300\n-a -t 10.0.0.1:0 -r 10.1.0.1:0 -m -w 1\n"
    ftp = "-A -t 10.0.0.1:21 -s rr -p 300\n-a -t 10.0.0.1:21 -r 10.1.0.1:21 -m -w 1\n"
    assert isinstance(taken(everything), Taken)
    assert isinstance(taken(ftp, port=20), Taken) and isinstance(taken(ftp, port=40000), Taken)
    assert taken(ftp) is Truth.NO
    assert taken(ftp.replace(" -p 300", ""), port=20) is Truth.NO  # only persistent servers take data connections


def test_direct_routing_leaves_the_destination() -> None:
    found = taken("-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.1.0.1:80 -g -w 1\n")
    assert isinstance(found, Taken)
    assert found.destinations[0].to is None
