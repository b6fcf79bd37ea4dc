"""How addresses, counts, lists and the names of families are spelled, for every layer above."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def counted(number: int | str, noun: str) -> str:
    """`1 rule`, `1,234 rules`, `2 addresses`; in a phrase the last word changes. A number given as text is kept."""
    shown = number if isinstance(number, str) else f"{number:,}"
    if shown == "1":
        return f"1 {noun}"
    return f"{shown} {noun}{'es' if noun.endswith('s') else 's'}"


def some(number: int, noun: str) -> str:
    """As `counted`, but `no rule` for 0."""
    return counted(number, noun) if number else f"no {noun}"


def and_more(number: int, noun: str = "") -> str:
    """` and 3 more`, ` and 3 more rules` to end a shortened list; "" for 0."""
    if number <= 0:
        return ""
    return f" and {counted(number, f'more {noun}') if noun else f'{number:,} more'}"


def both(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return _enumerate(items, "and")


def either(items: Sequence[str]) -> str:
    """`a, b or c`."""
    return _enumerate(items, "or")


def listed(items: Iterable[str], most: int, noun: str = "") -> str:
    """`a, b`; if more than `most`, the first ones: `a, b and 3 more`, or with a noun `a, b and 3 more rules`."""
    each = list(items)
    return ", ".join(each[:most]) + and_more(len(each) - most, noun)


def within(items: Iterable[str], most: int, noun: str = "") -> str:
    """As `listed`, but `a and b` if that is all: for a list after which the sentence goes on."""
    each = list(items)
    return both(each) if len(each) <= most else listed(each, most, noun)


def aside(parts: Sequence[str]) -> str:
    """` (a, b)`, or nothing."""
    return f" ({', '.join(parts)})" if parts else ""


def _enumerate(items: Sequence[str], conjunction: str) -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def address_port(host: str, port: int | str | None) -> str:
    """`10.0.0.1:80`, `[fd00::1]:80`, or the bare address without a port."""
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def front(host: str | None, port: int | str | None) -> str:
    """What a client connects to: `10.96.0.10:53`, or `node port 30053` without an address."""
    return f"node port {port}" if host is None else address_port(host, port)


def without_prefix(network: str) -> str:
    """Strip the prefix of single addresses, `10.0.0.1/32` and `fd00::1/128`; keep that of wider networks."""
    return network.removesuffix("/32") if "." in network else network.removesuffix("/128")


_NAMES = {"ipv4": "IPv4", "ipv6": "IPv6"}


def family_name(value: str) -> str:
    """`IPv4` for the value `ipv4` of options, JSON and `Family`."""
    return _NAMES[value]


def source_name(source: str) -> str:
    """The source of a text: a file's name, or `standard input` for `-`."""
    return "standard input" if source == "-" else source
