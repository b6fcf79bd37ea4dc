"""The fields of a packet's header as rules write them: addresses, ports, protocols, interfaces.

Addresses, networks and ranges are integers. Read is what iptables prints and accepts: `10.0.0.0/8`, `10.0.0.1`,
`10.0.0.0/255.0.0.255`, `fd00::/16`, `fd00::1/ffff::ffff`, `10.0.0.1-10.0.0.9`, `[fd00::1]:80`; fast enough for
loops over a whole dump.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat

from ipt_explain.model import Family
from ipt_explain.records import Record
from ipt_explain.words import address_port

_MANY = 256
"""Addresses: reading these one by one takes as long as loading what reads them faster."""


class NatRange(Record):
    """Where NAT sends packets: addresses `first` to `last` and ports `first_port` to `last_port`; None is unchanged.

    `base_port` is that of `ADDRESS:FIRST-LAST/BASE`, which maps BASE, BASE+1, … to FIRST, FIRST+1, ….
    """

    first: int | None
    last: int | None
    first_port: int | None = None
    last_port: int | None = None
    base_port: int | None = None


def family_of(text: str) -> Family:
    """The family of an address, network, range or `[address]:port` text."""
    return Family.IPV6 if text.count(":") > 1 else Family.IPV4


def parse_address(text: str) -> int:
    """An address of either family as an integer; compare it only with its own family's. Raises ValueError."""
    if ":" not in text:
        return _parse_ipv4(text)
    from _socket import AF_INET6, inet_pton  # without the selectors and enums that socket loads

    try:
        return int.from_bytes(inet_pton(AF_INET6, text), "big")
    except (OSError, UnicodeError):
        raise ValueError(f"{text} is no address") from None


def _parse_ipv4(text: str) -> int:
    """Four numbers, also with leading zeros, which libxtables reads as decimal."""
    parts = text.split(".")
    if len(parts) == 4 and text.isascii() and all(map(str.isdecimal, parts)):
        a, b, c, d = map(int, parts)
        if max(a, b, c, d) < 256:
            return a << 24 | b << 16 | c << 8 | d
    raise ValueError(f"{text} is no address")


def parse_ipv4(texts: Sequence[str | None]) -> Sequence[int] | None:
    """IPv4 addresses as integers, many faster than one by one; None if any text is none."""
    try:
        if len(texts) < _MANY and "_socket" not in sys.modules:
            return tuple([_parse_ipv4(text) for text in texts])  # type: ignore[arg-type]
        from _socket import AF_INET, inet_pton
        from struct import unpack

        return unpack(f">{len(texts)}I", b"".join(map(inet_pton, repeat(AF_INET), texts)))  # type: ignore[arg-type]
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def format_address(address: int, family: Family) -> str:
    """The usual text of an address: dotted quads, or IPv6 with zeros compressed."""
    if family is Family.IPV4:
        return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"
    from _socket import AF_INET6, inet_ntop

    return inet_ntop(AF_INET6, address.to_bytes(16, "big"))


def format_endpoint(address: int, port: int | str | None, family: Family) -> str:
    """`10.0.0.1:80`, `[fd00::1]:80`, or the bare address without a port."""
    return address_port(format_address(address, family), port)


def network_bits(text: str) -> tuple[int, int]:
    """(value, mask) of an address or network in any form that iptables reads, with host bits cleared as iptables does.
    The mask need not be contiguous. Raises ValueError."""
    if text[-3:] == "/32" and ":" not in text:
        return parse_address(text[:-3]), 0xFFFFFFFF
    host, slash, mask_text = text.partition("/")
    width = 128 if ":" in host else 32
    full = (1 << width) - 1
    value = parse_address(host)
    if not slash:
        return value, full
    if mask_text.isdecimal():
        length = int(mask_text)
        if length > width:
            raise ValueError(f"{text}: a prefix has at most {width} bits")
        mask = full ^ (full >> length)
    else:
        mask = parse_address(mask_text)
    return value & mask, mask


@lru_cache(maxsize=65536)
def single_address(text: str) -> int | None:
    """The address of a network that has only one; None for a larger network, or invalid text."""
    try:
        value, mask = network_bits(text)
    except ValueError:
        return None
    return value if mask in (0xFFFFFFFF, (1 << 128) - 1) else None


def parse_range(text: str) -> tuple[int, int]:
    """`FIRST-LAST` or one address, as (first, last). Raises ValueError."""
    first, dash, last = text.partition("-")
    start = parse_address(first)
    return start, parse_address(last) if dash else start


@lru_cache(maxsize=4096)
def parse_nat_destination(text: str) -> NatRange:
    """`[ADDRESS[-ADDRESS]][:PORT[-PORT[/BASE]]]` of `--to-destination` and `--to-source`; with a port, IPv6 addresses
    are in brackets. Raises ValueError."""
    if text.startswith("["):
        hosts, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{text} is not an address and port")
        ports = rest[1:]
    elif text.count(":") > 1:
        hosts, ports = text, ""
    else:
        hosts, _, ports = text.partition(":")
    first, last = parse_range(hosts) if hosts else (None, None)
    if not ports:
        return NatRange(first, last)
    span, slash, base = ports.partition("/")
    low, dash, high = span.partition("-")
    return NatRange(first, last, int(low), int(high) if dash else int(low), int(base) if slash else None)


HIGHEST_PORT = 65535


def parse_port(text: str) -> int:
    """One port by number or name. iptables-save never prints names, but restore input may have them; this machine's
    /etc/services is not used. Raises ValueError."""
    port = int(text) if text.isdecimal() else _named(text)
    if not 0 <= port <= HIGHEST_PORT:
        raise ValueError(f"{text} is no port")
    return port


def _named(text: str) -> int:
    from ipt_explain.words.names import PORTS

    return PORTS.get(text, -1)


@lru_cache(maxsize=8192)
def parse_port_range(text: str) -> tuple[int, int]:
    """`PORT` or `[FIRST]:[LAST]` as (first, last); a missing end is 0 or 65535. Raises ValueError."""
    first, colon, last = text.partition(":")
    if not colon:
        port = parse_port(text)
        return port, port
    return parse_port(first) if first else 0, parse_port(last) if last else HIGHEST_PORT


@lru_cache(maxsize=4096)
def parse_port_list(text: str) -> tuple[tuple[int, int], ...]:
    """The ranges of multiport's `80,443,8000:8080`. Raises ValueError."""
    return tuple(parse_port_range(part) for part in text.split(","))


def within(port: int, ranges: Iterable[tuple[int, int]]) -> bool:
    """Whether a port lies in one of the ranges, ends included."""
    return any(first <= port <= last for first, last in ranges)


ANY_PROTOCOL = 0
ICMP = 1
TCP = 6
UDP = 17
ICMPV6 = 58
SCTP = 132
UDPLITE = 136

_PROTOCOL_NAMES = {ICMP: "icmp", TCP: "tcp", UDP: "udp", ICMPV6: "icmpv6", SCTP: "sctp", 33: "dccp", UDPLITE: "udplite"}
_PROTOCOL_NUMBERS = {"tcp": TCP, "udp": UDP, "sctp": SCTP, "icmp": ICMP, "all": ANY_PROTOCOL, "ip": ANY_PROTOCOL}
WITH_PORTS = frozenset({TCP, UDP, SCTP, 33, UDPLITE})


def protocol_number(text: str) -> int | None:
    """The number of `tcp`, `6`, `TCP`, …; 0 is all protocols; None for an unknown name."""
    if text.isdecimal():
        return int(text)
    name = text.lower()
    return _PROTOCOL_NUMBERS[name] if name in _PROTOCOL_NUMBERS else _registered_protocol(name)


def _registered_protocol(name: str) -> int | None:
    from ipt_explain.words.names import OTHER_PROTOCOLS, PROTOCOLS

    return next((number for number, known in PROTOCOLS.items() if known == name), OTHER_PROTOCOLS.get(name))


def protocol_name(number: int) -> str:
    """The usual name of a protocol, or its number."""
    return _PROTOCOL_NAMES.get(number, str(number))


@lru_cache(maxsize=256)
def usual_name(text: str) -> str:
    """How iptables-save prints a protocol that a rule writes as `TCP` or `6`."""
    return protocol_name(int(text)) if text.isdecimal() else text.lower()


NO_INTERFACE = ""
"""The interface in hooks that have none (`-i` in OUTPUT, `-o` in PREROUTING and INPUT): only `+` fits it."""


def interface_fits(pattern: str, name: str) -> bool:
    """Whether an interface has this name, or begins with the text before a trailing `+`."""
    if pattern.endswith("+"):
        return name.startswith(pattern[:-1])
    return name == pattern
