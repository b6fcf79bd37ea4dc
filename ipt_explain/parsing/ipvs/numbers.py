"""Addresses, ports and masks as the tools print them. All raise ValueError, in words, for what is none."""

from __future__ import annotations

from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_pton

from ipt_explain.model import Family

_HIGHEST_PORT = 65535


def host_and_port(text: str) -> tuple[str, int]:
    """`10.96.0.1:443` or `[fd00::1]:443` as (address, port)."""
    host, _, port_text = text.rpartition(":")
    host = host.strip("[]")
    return checked_host(host), checked_port(port_text)


@lru_cache(maxsize=65536)
def checked_host(text: str) -> str:
    """An address of either family, as it was written."""
    try:
        inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except OSError:
        raise ValueError(f"{text} is no address") from None
    return text


def checked_port(text: str) -> int:
    """A port from 0 on."""
    port = int(text) if len(text) < 6 else _HIGHEST_PORT + 1
    if port > _HIGHEST_PORT:
        raise ValueError(f"{text[:20]} is no port; those go from 0 to {_HIGHEST_PORT}")
    return port


def family_of_host(text: str) -> Family:
    """The family of an address."""
    return Family.IPV6 if ":" in text else Family.IPV4


def prefix_length(mask: str) -> int:
    """The length of `255.255.255.0`, or of `64`."""
    if mask.isdecimal() and len(mask) < 4 and int(mask) <= 128:
        return int(mask)
    bits = int.from_bytes(inet_pton(AF_INET, checked_host(mask)), "big")
    length = bits.bit_count()
    if bits != (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF:
        raise ValueError(f"{mask} is no netmask")
    return length
