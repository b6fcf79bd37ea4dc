"""Truth, ports, interfaces, protocols, hooks."""

import pytest

from ipt_explain.netfilter.header import (
    NO_INTERFACE,
    interface_fits,
    parse_port_list,
    parse_port_range,
    protocol_number,
    within,
)
from ipt_explain.netfilter.truth import Truth


def test_unknown_is_never_a_silent_no() -> None:
    assert Truth.UNKNOWN & Truth.YES is Truth.UNKNOWN
    assert Truth.UNKNOWN & Truth.NO is Truth.NO
    assert Truth.UNKNOWN | Truth.NO is Truth.UNKNOWN
    assert Truth.UNKNOWN | Truth.YES is Truth.YES
    assert Truth.UNKNOWN.inverted() is Truth.UNKNOWN
    assert Truth.YES.inverted() is Truth.NO
    assert Truth.of(True).inverted(False) is Truth.YES


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("cni0", "cni0", True),
        ("cni0", "cni01", False),
        ("veth+", "vethab12", True),
        ("veth+", "eth0", False),
        ("+", "eth0", True),
        ("+", NO_INTERFACE, True),
        ("cni0", NO_INTERFACE, False),  # so `! -i cni0` matches what the node itself sends
    ],
)
def test_interface_patterns(pattern: str, name: str, fits: bool) -> None:
    assert interface_fits(pattern, name) is fits


def test_ports() -> None:
    assert parse_port_range("80") == (80, 80)
    assert parse_port_range(":1023") == (0, 1023)
    assert parse_port_range("30000:") == (30000, 65535)
    assert parse_port_range("http") == (80, 80)
    assert within(8001, parse_port_list("80,443,8000:8080"))
    assert not within(81, parse_port_list("80,443,8000:8080"))
    with pytest.raises(ValueError, match=r"\S"):
        parse_port_range("65536")


def test_protocols_by_name_and_number() -> None:
    assert protocol_number("tcp") == protocol_number("6") == protocol_number("TCP") == 6
    assert protocol_number("ipv6-icmp") == protocol_number("icmpv6") == 58
    assert protocol_number("nonsense") is None
