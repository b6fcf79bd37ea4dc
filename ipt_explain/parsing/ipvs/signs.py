"""By what a line gives away that ipvsadm, ipset or `ip addr` printed it, whatever stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipt_explain.enums import Enum


class Tool(Enum):
    """Whose line it is."""

    IPVSADM = "ipvsadm"
    IPSET = "ipset"
    IP_ADDR = "ip_addr"


_EXTENSION = r"(?:nomatch|timeout|packets|bytes|comment|skbmark|skbprio|skbqueue)\b[^\n]*"

_SIGNS = {
    Tool.IPVSADM: (
        r"-[Aa] +(?:-[tu]|--(?:tcp|udp|sctp)-service) +\S+:\S",
        r"-[Aa] +(?:-f|--fwmark-service) +\d",
        r"--add-(?:service|server) ",
        r"IP Virtual Server version ",
        r"Prot +LocalAddress:Port\b",
        r"IPVS connection entries",
        r"pro +expire +state ",
        r"(?:TCP|UDP|SCTP) +[^\s:]\S*:\S+ ",
        r"(?:TCP|UDP|SCTP) +\d+:\d\d +[A-Z_]+ ",
        r"FWM +[\dA-F]+ ",
        r" *-> +(?:RemoteAddress:Port\b|[\w.\[:\]-]+:\S+ +(?:Masq|Route|Tunnel|Local|\d))",
    ),
    Tool.IPSET: (
        r"create +\S+ +(?:hash|bitmap|list):",
        # Not nft's `add rule ip …`: an element has a digit, a colon, a dot or a comma in it, and extensions after it.
        rf"add +\S+ +[^\s{{]*[\d:.,][^\s{{]*(?: +{_EXTENSION})?(?:\n|\Z)",
        r"Name: +\S+\nType: +(?:hash|bitmap|list):",
    ),
    Tool.IP_ADDR: (
        r"\d+: +[^\s:@]+(?:@[^\s:]+)?: +<[A-Z0-9_,-]*> +mtu ",
        r"\d+: +[^\s:@]+(?:@[^\s:]+)? +inet6? ",
        r" +inet6? +[0-9a-fA-F:.]+(?:/\d+| +peer) ",
        r"[^\s:@*#-][^\s:@]*(?:@[^\s:]+)? +(?:UP|DOWN|UNKNOWN|LOWERLAYERDOWN) +(?:[0-9a-f:.]+/\d+ *)+(?:\n|\Z)",
    ),
}

_LINE = re.compile("|".join(f"(?P<{tool.value}>{'|'.join(signs)})" for tool, signs in _SIGNS.items()))


# Nearly all lines of a dump of iptables are passed at their first letters, what goes on after a `\` at the one before.
_WORTH_A_LOOK = r"(?:[^-:*#\[C\n]|-A -|-a|--)"
_FIRST = re.compile("^" + _WORTH_A_LOOK, re.MULTILINE)
_LATER = re.compile("\n(?<!\\\\\n)" + _WORTH_A_LOOK)


def tool_of(text: str, position: int) -> Tool | None:
    """The tool that printed the line which begins at `position`, if it shows by itself."""
    match = _LINE.match(text, position)
    return None if match is None or match.lastgroup is None else Tool(match.lastgroup)


def first_line(text: str, position: int) -> int | None:
    """Where the next line begins that one of the tools printed, from the line on that begins at `position`."""
    return next((start for start in lines_worth_a_look(text, position) if tool_of(text, start) is not None), None)


def lines_worth_a_look(text: str, position: int = 0) -> Iterator[int]:
    """Where the lines begin, from `position` on, that one of the tools may have printed."""
    if _FIRST.match(text, position):
        yield position
    for found in _LATER.finditer(text, position):
        yield found.start() + 1
