"""The rule's own options: addresses, interfaces, protocol, fragments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ipt_explain.model import Option, Rule
from ipt_explain.render.english.wording import deny

_PROTOCOLS = {
    "tcp": "TCP",
    "udp": "UDP",
    "sctp": "SCTP",
    "icmp": "ICMP",
    "ipv6-icmp": "ICMPv6 (ipv6-icmp)",
    "icmpv6": "ICMPv6",
    "esp": "ESP",
    "ah": "AH",
    "gre": "GRE",
    "dccp": "DCCP",
    "udplite": "UDP-Lite (udplite)",
    "igmp": "IGMP",
    "6": "TCP (6)",
    "17": "UDP (17)",
    "132": "SCTP (132)",
    "1": "ICMP (1)",
    "58": "ICMPv6 (58)",
}


def address(value: str) -> str:
    """An address or network, without a full mask."""
    host, _, mask = value.partition("/")
    whole = mask == "128" if ":" in host else mask in ("32", "255.255.255.255")
    return host if whole else value


def _interface(value: str) -> str:
    """An interface; a trailing `+` stands for any ending."""
    if value == "+":
        return "any interface (+)"
    if value.endswith("+"):
        return f'an interface whose name starts with "{value[:-1]}" ({value})'
    return f'interface "{value}"' if not value.isprintable() or " " in value or not value else f"interface {value}"


def worded(core: Iterable[Option]) -> list[Option]:
    """The core options that are conditions, protocol first."""
    return sorted([option for option in core if option.name in _WORDED], key=lambda option: _ORDER[option.name])


def condition(option: Option, value: str) -> str:
    """The condition of a core option with a value, "" for an option without."""
    predicate = _WORDED[option.name](value)
    if not option.negated:
        return predicate
    return deny(predicate) + (": whole, or the first" if option.name == "-f" else "")


def counters(rule: Rule) -> str:
    """The counters that restore input sets (`-c PACKETS BYTES`)."""
    option = rule.shape.core_option("-c")
    return "" if option is None else f", its counters starting at {' '.join(rule.arguments(option))}"


def _protocol(value: str) -> str:
    if value in ("all", "0"):
        return f"is of any protocol ({value})"
    return f"is {_PROTOCOLS[value]}" if value in _PROTOCOLS else f"is of protocol {value}"


_WORDED: Mapping[str, Callable[[str], str]] = {
    "-p": _protocol,
    "-s": lambda value: f"comes from {address(value)}",
    "-d": lambda value: f"goes to {address(value)}",
    "-i": lambda value: f"arrives on {_interface(value)}",
    "-o": lambda value: f"leaves by {_interface(value)}",
    "-f": lambda _: "is a second or later fragment",
    "-4": lambda _: "is IPv4",
    "-6": lambda _: "is IPv6",
}
_ORDER = {name: place for place, name in enumerate(_WORDED)}
