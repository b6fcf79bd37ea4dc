"""Port numbers and ranges as rules write them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

HIGHEST = 65535


def parse_port(text: str) -> int:
    """One port by number or name. iptables-save never prints names, but restore input may have them; this machine's
    /etc/services is not used. Raises ValueError."""
    port = int(text) if text.isdecimal() else _named(text)
    if not 0 <= port <= HIGHEST:
        raise ValueError(f"{text} is no port")
    return port


def _named(text: str) -> int:
    from ipt_explain.words.ports import PORTS

    return PORTS.get(text, -1)


@lru_cache(maxsize=8192)
def parse_port_range(text: str) -> tuple[int, int]:
    """`PORT` or `[FIRST]:[LAST]` as (first, last); a missing end is 0 or 65535. Raises ValueError."""
    first, colon, last = text.partition(":")
    if not colon:
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
