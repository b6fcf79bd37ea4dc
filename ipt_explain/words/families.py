"""Address families."""

from __future__ import annotations

_NAMES = {"ipv4": "IPv4", "ipv6": "IPv6"}


def family_name(value: str) -> str:
    """`IPv4` for the value `ipv4` of options, JSON and `Family`."""
    return _NAMES[value]


def source_name(source: str) -> str:
    """The source of a text: a file's name, or `standard input` for `-`."""
    return "standard input" if source == "-" else source
