"""What NAT picks from ranges. The addresses were seen: packets sent through a DNAT rule of Linux 6.18, one a source."""

from __future__ import annotations

import pytest

from ipt_explain.model import Family
from ipt_explain.netfilter.header import NatRange, format_address, parse_address
from ipt_explain.netfilter.nat.choice import chosen_address, chosen_ports, jhash2
from tests.trace.helpers import go, only


@pytest.mark.parametrize(
    ("source", "destination", "first", "last", "persistent", "chosen"),
    [
        ("10.244.1.5", "10.96.0.10", "10.9.0.1", "10.9.0.200", False, "10.9.0.149"),
        ("10.244.1.6", "10.96.0.11", "10.9.0.1", "10.9.0.200", False, "10.9.0.103"),
        ("10.244.1.7", "10.96.0.12", "10.9.0.1", "10.9.0.200", False, "10.9.0.95"),
        ("10.244.1.5", "10.96.0.10", "10.9.0.1", "10.9.0.200", True, "10.9.0.200"),
        ("10.244.1.6", "10.96.0.11", "10.9.0.1", "10.9.0.200", True, "10.9.0.114"),
        ("fd00:10:244::5", "fd00:10:96::10", "fd09::1", "fd09::1:0:0:ff00", False, "fd09::5fbd:e2e2:14e3"),
        ("fd00:10:244::6", "fd00:10:96::11", "fd09::1", "fd09::1:0:0:ff00", False, "fd09::afe4:4b4c:5b2f"),
        ("fd00:10:244::5", "fd00:10:96::10", "fd09::1", "fd09::1:0:0:ff00", True, "fd09::d977:d976:d3b4"),
        ("fd00:10:244::6", "fd00:10:96::11", "fd09::1", "fd09::1:0:0:ff00", True, "fd09::639b:639a:f80a"),
    ],
)
def test_one_client_always_gets_one_address(
    source: str, destination: str, first: str, last: str, persistent: bool, chosen: str
) -> None:
    family = Family.IPV6 if ":" in source else Family.IPV4
    low, high, client, service = (parse_address(text) for text in (first, last, source, destination))
    assert format_address(chosen_address(low, high, client, service, persistent, family), family) == chosen


@pytest.mark.parametrize(
    ("wanted", "port", "randomly", "ports"),
    [
        (NatRange(1, 1), 80, False, None),
        (NatRange(1, 1, 8000, 8003), 80, False, (8000, 8000)),     # outside: always the first
        (NatRange(1, 1, 8000, 8003), 8002, False, (8002, 8002)),   # inside: kept
        (NatRange(1, 1, 8000, 8003), 8002, True, (8000, 8003)),    # --random: any
        (NatRange(1, 1, 8003, 8000), 80, True, (8000, 8003)),
        (NatRange(1, 1, 8000, 8010, 80), 85, False, (8005, 8005)),  # shifted from its base
    ],
)  # fmt: skip
def test_ports(wanted: NatRange, port: int, randomly: bool, ports: tuple[int, int] | None) -> None:
    assert chosen_ports(wanted, port, randomly) == ports


def test_the_hash_takes_any_number_of_words() -> None:
    assert len({jhash2([1] * count, 7) for count in range(8)}) == 8


@pytest.mark.parametrize(("flag", "chosen"), [("", "10.9.0.149"), (" --persistent", "10.9.0.200")])
def test_a_trace_ends_at_the_address_that_is_chosen(flag: str, chosen: str) -> None:
    assert only(go(f"nat -A PREROUTING -j DNAT --to-destination 10.9.0.1-10.9.0.200{flag}"))[1] == f"{chosen}:80"
