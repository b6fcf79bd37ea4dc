"""Transport protocols by number and name."""

from __future__ import annotations

from functools import lru_cache

from ipt_explain.words.protocols import NAMES, OTHER_NAMES

ANY = 0
ICMP = 1
TCP = 6
UDP = 17
ICMPV6 = 58
SCTP = 132
UDPLITE = 136

_NUMBERS = {**{name: number for number, name in NAMES.items()}, **OTHER_NAMES, "all": ANY, "ip": ANY}
_NAMES = {ICMP: "icmp", TCP: "tcp", UDP: "udp", ICMPV6: "icmpv6", SCTP: "sctp", 33: "dccp", UDPLITE: "udplite"}
WITH_PORTS = frozenset({TCP, UDP, SCTP, 33, UDPLITE})


def protocol_number(text: str) -> int | None:
    """The number of `tcp`, `6`, `TCP`, …; 0 is all protocols; None for an unknown name."""
    if text.isdecimal():
        return int(text)
    return _NUMBERS.get(text.lower())


def protocol_name(number: int) -> str:
    """The usual name of a protocol, or its number."""
    return _NAMES.get(number, str(number))


@lru_cache(maxsize=256)
def usual_name(text: str) -> str:
    """How iptables-save prints a protocol that a rule writes as `TCP` or `6`."""
    return protocol_name(int(text)) if text.isdecimal() else text.lower()
