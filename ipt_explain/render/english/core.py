"""The rule's own options: addresses, interfaces, protocol, fragments."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipt_explain.render.english.options import Given, Options
from ipt_explain.render.english.wording import deny, say

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


def interface(value: str) -> str:
    """An interface; a trailing `+` stands for any ending."""
    if value == "+":
        return "any interface (+)"
    if value.endswith("+"):
        return f'an interface whose name starts with "{value[:-1]}" ({value})'
    return f'interface "{value}"' if not value.isprintable() or " " in value or not value else f"interface {value}"


def core(options: Options) -> list[str]:
    """The conditions of the core options, protocol first."""
    given = options.take_all(_WORDED)
    given.sort(key=lambda each: _ORDER[each.name])
    return [_WORDED[each.name](each) for each in given]


def counters(options: Options) -> str:
    """The counters that restore input sets (`-c PACKETS BYTES`)."""
    given = options.take("-c")
    return f", its counters starting at {' '.join(given.arguments)}" if given else ""


def _fragment(given: Given) -> str:
    later = "is a second or later fragment"
    return f"{deny(later)}: whole, or the first" if given.negated else later


def _protocol(given: Given) -> str:
    value = given.value
    if value in ("all", "0"):
        return say(f"is of any protocol ({value})", given.negated)
    return say(f"is {_PROTOCOLS[value]}" if value in _PROTOCOLS else f"is of protocol {value}", given.negated)


_WORDED: Mapping[str, Callable[[Given], str]] = {
    "-p": _protocol,
    "-s": lambda given: say(f"comes from {address(given.value)}", given.negated),
    "-d": lambda given: say(f"goes to {address(given.value)}", given.negated),
    "-i": lambda given: say(f"arrives on {interface(given.value)}", given.negated),
    "-o": lambda given: say(f"leaves by {interface(given.value)}", given.negated),
    "-f": _fragment,
    "-4": lambda _: "is IPv4",
    "-6": lambda _: "is IPv6",
}
_ORDER = {name: place for place, name in enumerate(_WORDED)}
