from __future__ import annotations

import pytest

from ipt_explain.words import (
    address_port,
    and_more,
    aside,
    both,
    counted,
    either,
    family_name,
    front,
    listed,
    some,
    within,
    without_prefix,
)
from ipt_explain.words.durations import duration


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [("10.0.0.1", 80, "10.0.0.1:80"), ("fd00::1", "80", "[fd00::1]:80"), ("10.0.0.1", None, "10.0.0.1"), ("fd00::1", None, "fd00::1")],
)
def test_addresses_with_ports(host: str, port: int | str | None, said: str) -> None:
    assert address_port(host, port) == said


def test_a_front_without_address_is_a_node_port() -> None:
    assert (front(None, 30080), front("fd00::1", 80)) == ("node port 30080", "[fd00::1]:80")


@pytest.mark.parametrize(
    ("network", "said"),
    [("10.0.0.1/32", "10.0.0.1"), ("10.0.0.0/8", "10.0.0.0/8"), ("fd00::1/128", "fd00::1"), ("fd00::/32", "fd00::/32"), ("10.0.0.1", "10.0.0.1")],
)
def test_a_network_of_one_address_is_that_address(network: str, said: str) -> None:
    assert without_prefix(network) == said


def test_counts() -> None:
    assert [counted(number, "more rule") for number in (0, 1, 1234)] == ["0 more rules", "1 more rule", "1,234 more rules"]
    assert counted(2, "address") == "2 addresses"
    assert counted("64", "byte") == "64 bytes"
    assert some(0, "endpoint") == "no endpoint" and some(2, "endpoint") == "2 endpoints"


def test_lists() -> None:
    assert (both(["a"]), both(["a", "b", "c"]), either(["a", "b"]), both([])) == ("a", "a, b and c", "a or b", "")
    assert listed("abc", 3) == "a, b, c"
    assert listed("abcd", 3) == "a, b, c and 1 more"
    assert listed("abcd", 2, "Service") == "a, b and 2 more Services"
    assert (within("ab", 3), within("abcd", 3)) == ("a and b", "a, b, c and 1 more")
    assert (and_more(0), and_more(-1), and_more(1, "address")) == ("", "", " and 1 more address")
    assert (aside([]), aside(["a", "b"])) == ("", " (a, b)")


@pytest.mark.parametrize(
    ("seconds", "said"), [(45, "45 s"), (10800, "3 h (10800 s)"), ("90", "1 min 30 s (90 s)"), ("soon", "soon s"), ("9" * 13, f"{'9' * 13} s")]
)
def test_durations(seconds: int | str, said: str) -> None:
    assert duration(seconds) == said


def test_families() -> None:
    assert (family_name("ipv4"), family_name("ipv6")) == ("IPv4", "IPv6")
