"""The rule's own options: addresses, interfaces, protocol, fragments."""

from __future__ import annotations

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
    """An address or network; a full mask is dropped, as it says nothing."""
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
    """What the core options ask of a packet, protocol first."""
    said: list[str] = []
    if not options.left:
        return said
    protocol = options.take("-p")
    if protocol:
        said.append(_protocol(protocol))
    for name, predicate, spoken in (
        ("-s", "comes from {}", address),
        ("-d", "goes to {}", address),
        ("-i", "arrives on {}", interface),
        ("-o", "leaves by {}", interface),
    ):
        given = options.take(name)
        if given:
            said.append(say(predicate.format(spoken(given.value)), given.negated))
    fragment = options.take("-f")
    if fragment:
        later = "is a second or later fragment"
        said.append(f"{deny(later)}: whole, or the first" if fragment.negated else later)
    said += [f"is {family}" for option, family in (("-4", "IPv4"), ("-6", "IPv6")) if options.flag(option)]
    return said


def counters(options: Options) -> str:
    """What restore input sets the rule's counters to (`-c PACKETS BYTES`)."""
    given = options.take("-c")
    return f", its counters starting at {' '.join(given.arguments)}" if given else ""


def _protocol(given: Given) -> str:
    value = given.value
    if value in ("all", "0"):
        return say(f"is of any protocol ({value})", given.negated)
    return say(f"is {_PROTOCOLS[value]}" if value in _PROTOCOLS else f"is of protocol {value}", given.negated)
