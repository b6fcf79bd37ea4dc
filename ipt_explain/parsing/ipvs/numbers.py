"""Addresses, ports and masks as the tools print them. All raise ValueError, with a message, for invalid text."""

from __future__ import annotations

import re
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from ipt_explain.model import Family
from ipt_explain.words.names import PORTS

_HIGHEST_PORT = 65535

_NAMED_PORT = re.compile(r":([a-z][a-z0-9-]{1,40})(?![^ \t])")
# As /proc/net/ip_vs prints them, with leading zeros.
_HEX_IPV4 = re.compile(r"[0-9A-F]{8}\Z")
_HEX_IPV6 = re.compile(r"(?=.*\b0)(?:[0-9a-f]{4}:){7}[0-9a-f]{4}\Z")


def host_and_port(text: str) -> tuple[str, int]:
    """`10.96.0.1:443`, `[fd00::1]:443`, or `0A600001:01BB` as (address, port)."""
    host, _, port_text = text.rpartition(":")
    host = host.strip("[]")
    if "." in host:
        return checked_host(host), _checked_port(port_text)
    if _HEX_IPV4.match(host):
        return inet_ntop(AF_INET, bytes.fromhex(host)), int(port_text, 16)
    if _HEX_IPV6.match(host):
        return inet_ntop(AF_INET6, inet_pton(AF_INET6, host)), int(port_text[:5], 16) & _HIGHEST_PORT
    return checked_host(host), _checked_port(port_text)


def mark_number(text: str) -> int:
    """A firewall mark: decimal, or eight hex digits as in /proc/net/ip_vs."""
    return int(text, 16) if len(text) == 8 and (text[0] == "0" or not text.isdecimal()) else int(text)


@lru_cache(maxsize=65536)
def checked_host(text: str) -> str:
    """An address of either family, as written."""
    try:
        inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except OSError:
        raise ValueError(f"{text} is not an address") from None
    return text


@lru_cache(maxsize=4096)
def _checked_port(text: str) -> int:
    """A port from 0 on."""
    port = int(text) if text.isdecimal() and len(text) < 6 else _HIGHEST_PORT + 1
    if port > _HIGHEST_PORT:
        raise ValueError(f"{text[:20]} is not a port (0 to {_HIGHEST_PORT})")
    return port


def with_port_numbers(line: str) -> str:
    """A line of ipvsadm with numbers instead of ports' names, which it prints without -n."""
    return _NAMED_PORT.sub(lambda found: f":{PORTS.get(found[1], found[1])}", line)


def family_of_host(text: str) -> Family:
    """The family of an address."""
    return Family.IPV6 if ":" in text else Family.IPV4


def prefix_length(mask: str) -> int:
    """The length of `255.255.255.0`, of `FFFFFF00`, or of `64`."""
    if _HEX_IPV4.match(mask):
        mask = inet_ntop(AF_INET, bytes.fromhex(mask))
    if mask.isdecimal() and len(mask) < 4 and int(mask) <= 128:
        return int(mask)
    bits = int.from_bytes(inet_pton(AF_INET, checked_host(mask)), "big")
    length = bits.bit_count()
    if bits != (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF:
        raise ValueError(f"{mask} is not a netmask")
    return length
