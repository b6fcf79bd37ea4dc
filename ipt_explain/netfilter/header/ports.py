"""Port numbers and ranges as rules write them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

# Names that iptables-save never prints but restore input may hold; /etc/services is not read, as it is the node's.
_SERVICES = {
    "domain": 53,
    "ftp": 21,
    "http": 80,
    "https": 443,
    "ntp": 123,
    "smtp": 25,
    "ssh": 22,
    "sunrpc": 111,
    "telnet": 23,
}
HIGHEST = 65535


def parse_port(text: str) -> int:
    """One port, by number or a well-known name. Raises ValueError."""
    port = int(text) if text.isdecimal() else _SERVICES.get(text, -1)
    if not 0 <= port <= HIGHEST:
        raise ValueError(f"{text} is no port")
    return port


@lru_cache(maxsize=8192)
def parse_port_range(text: str, separator: str = ":") -> tuple[int, int]:
    """`PORT` or `[FIRST]:[LAST]` as (first, last); a missing end is 0 or 65535. Raises ValueError."""
    first, found, last = text.partition(separator)
    if not found:
        port = parse_port(text)
        return port, port
    return parse_port(first) if first else 0, parse_port(last) if last else HIGHEST


@lru_cache(maxsize=4096)
def parse_port_list(text: str) -> tuple[tuple[int, int], ...]:
    """The ranges of multiport's `80,443,8000:8080`. Raises ValueError."""
    return tuple(parse_port_range(part) for part in text.split(","))


def within(port: int, ranges: Iterable[tuple[int, int]]) -> bool:
    """Whether a port lies in one of the ranges, ends included."""
    return any(first <= port <= last for first, last in ranges)
