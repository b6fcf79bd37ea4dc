"""Addresses in every form that iptables prints or takes."""

import pytest

from ipt_explain.model import Family
from ipt_explain.netfilter.header import (
    NatRange,
    format_address,
    format_endpoint,
    network_bits,
    parse_address,
    parse_nat_destination,
    parse_range,
)


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("10.0.0.0/8", "10.255.1.2", "11.0.0.1"),
        ("10.96.0.10", "10.96.0.10", "10.96.0.11"),
        ("10.96.0.10/32", "10.96.0.10", "10.96.0.11"),
        ("0.0.0.0/0.0.0.255", "1.2.3.0", "1.2.3.4"),
        ("10.1.2.3/255.0.0.0", "10.9.9.9", "12.0.0.0"),
        ("010.000.000.001/32", "10.0.0.1", "8.0.0.1"),
        ("fd00::/16", "fd00:1::1", "fe80::1"),
        ("fd00::1", "fd00::1", "fd00::2"),
        ("fd00::1/ffff::ffff", "fd00:5::1", "fd00:5::2"),
    ],
)
def test_networks_hold_addresses(network: str, inside: str, outside: str) -> None:
    value, mask = network_bits(network)
    assert parse_address(inside) & mask == value
    assert parse_address(outside) & mask != value


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("10.0.0.1:80", NatRange(0x0A000001, 0x0A000001, 80, 80)),
        ("10.0.0.1", NatRange(0x0A000001, 0x0A000001)),
        ("10.0.0.1-10.0.0.4:80-90", NatRange(0x0A000001, 0x0A000004, 80, 90)),
        ("10.0.0.1:80-90/8080", NatRange(0x0A000001, 0x0A000001, 80, 90, 8080)),
        (":8080", NatRange(None, None, 8080, 8080)),
        ("[::1]:80", NatRange(1, 1, 80, 80)),
        ("[::1-::5]:80-90", NatRange(1, 5, 80, 90)),
        ("::1", NatRange(1, 1)),
        ("::1-::5", NatRange(1, 5)),
    ],
)
def test_nat_destinations(text: str, endpoint: NatRange) -> None:
    assert parse_nat_destination(text) == endpoint


@pytest.mark.parametrize(
    "text", ["", "10.0.0", "10.0.0.256", "10.0.0.1/33", "fd00::/129", "::1::2", "host", "10.0.0.1/x"]
)
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        network_bits(text)


def test_ranges_and_texts() -> None:
    assert parse_range("10.0.0.1-10.0.0.9") == (0x0A000001, 0x0A000009)
    assert format_address(parse_address("fd00:0:0::1"), Family.IPV6) == "fd00::1"
    assert format_endpoint(1, 80, Family.IPV6) == "[::1]:80"
    assert format_endpoint(0x0A000001, 80, Family.IPV4) == "10.0.0.1:80"
