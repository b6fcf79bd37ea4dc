"""Transport protocols by number and name."""

from __future__ import annotations

ANY = 0
ICMP = 1
TCP = 6
UDP = 17
ICMPV6 = 58
SCTP = 132
UDPLITE = 136

_NUMBERS = {
    "all": ANY,
    "ip": ANY,
    "ipv6": 41,
    "icmp": ICMP,
    "igmp": 2,
    "ipencap": 4,
    "tcp": TCP,
    "egp": 8,
    "udp": UDP,
    "dccp": 33,
    "gre": 47,
    "esp": 50,
    "ipv6-crypt": 50,
    "ah": 51,
    "ipv6-auth": 51,
    "ipv6-icmp": ICMPV6,
    "icmpv6": ICMPV6,
    "icmp6": ICMPV6,
    "ospf": 89,
    "etherip": 97,
    "pim": 103,
    "ipcomp": 108,
    "vrrp": 112,
    "l2tp": 115,
    "sctp": SCTP,
    "mobility-header": 135,
    "ipv6-mh": 135,
    "mh": 135,
    "udplite": UDPLITE,
    "ethernet": 143,
}
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


def usual_name(text: str) -> str:
    """How iptables-save prints a protocol that a rule writes as `TCP` or `6`."""
    return protocol_name(int(text)) if text.isdecimal() else text.lower()
