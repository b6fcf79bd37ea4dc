"""Patterns that recognise a single line of ipvsadm, ipset or `ip addr`, without its context."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipt_explain.enums import Enum


class Tool(Enum):
    """The tool that printed a line."""

    IPVSADM = "ipvsadm"
    IPSET = "ipset"
    IP_ADDR = "ip_addr"


_EXTENSION = r"(?:nomatch|timeout|packets|bytes|comment|skbmark|skbprio|skbqueue)\b[^\n]*"
_NETWORK = r"[0-9a-f:.]+/\d+"

_SIGNS = {
    Tool.IPVSADM: (
        r"-[Aa][ \t]+(?:-[tu]|--(?:tcp|udp|sctp)-service)[ \t]+\S+:\S",
        r"-[Aa][ \t]+(?:-f|--fwmark-service)[ \t]+\d",
        r"--add-(?:service|server) ",
        r"[ \t]*IP Virtual Server version ",
        r"[ \t]*Prot[ \t]+LocalAddress:Port\b",
        r"IPVS connection entries",
        r"pro +expire +state ",
        r"[ \t]*(?:TCP|UDP|SCTP)[ \t]+[^\s:]\S*:[^\s:]+[ \t]",
        r"(?:TCP|UDP|SCTP) +\d+:\d\d +[A-Z_]+ ",
        r"FWM[ \t]+[\dA-F]+[ \t]",
        r"[ \t]*->[ \t]+(?:RemoteAddress:Port\b|[\w.\[:\]-]+:[^\s:]+[ \t]+(?:Masq|Route|Tunnel|Local|\d))",
        r"[ \t]*->[ \t]+(?:Masq|Route|Tunnel|Local)[ \t]+\d",  # a page took the address away
    ),
    Tool.IPSET: (
        r"create +\S+ +(?:hash|bitmap|list):",
        # Not nft's `add rule ip …`: an element contains a digit, colon, dot or comma; only extensions may follow it.
        rf"add +\S+ +[^\s{{\d:.,]*[\d:.,][^\s{{]*(?: +{_EXTENSION})?[ \t]*(?:\n|\Z)",
        r"[ \t]*Name: +\S+[ \t]*\n[ \t]*Type: +(?:hash|bitmap|list):",
    ),
    Tool.IP_ADDR: (
        r"\d+: +[^\s:@]+(?:@[^\s:]+)?: +<[A-Z0-9_,-]*> +mtu ",
        r"\d+: +[^\s:@]+(?:@[^\s:]+)? +inet6? ",
        r" +inet6? +[0-9a-fA-F:.]+(?:/\d+| +peer) ",
        rf"[^\s:@*#-][^\s:@]*(?:@[^\s:]+)? +(?:UP|DOWN|UNKNOWN|LOWERLAYERDOWN) +{_NETWORK}(?: +{_NETWORK})* *(?:\n|\Z)",
    ),
}

_LINE = re.compile("|".join(f"(?P<{tool.value}>{'|'.join(signs)})" for tool, signs in _SIGNS.items()))

# Skips nearly all lines of an iptables dump by their first letters, and continuations after a `\` by the line before.
_WORTH_A_LOOK = r"(?:[^-:*#\[C\n]|-(?:A -|[a>-]))"
_FIRST = re.compile("^" + _WORTH_A_LOOK, re.MULTILINE)
_LATER = re.compile("\n(?<!\\\\\n)" + _WORTH_A_LOOK)


def tool_of(text: str, position: int) -> Tool | None:
    """The tool that printed the line at `position`, if the line alone shows it."""
    match = _LINE.match(text, position)
    return None if match is None or match.lastgroup is None else Tool(match.lastgroup)


def first_line(text: str, position: int) -> int | None:
    """The start of the first line that one of the tools printed, at or after the line at `position`."""
    return next((start for start in _lines_worth_a_look(text, position) if tool_of(text, start) is not None), None)


def _lines_worth_a_look(text: str, position: int) -> Iterator[int]:
    """The start of each line from `position` on that one of the tools may have printed."""
    if _FIRST.match(text, position):
        yield position
    for found in _LATER.finditer(text, position):
        yield found.start() + 1
