"""The hosts that prompts and headings name, where a paste has commands that print rules: several hosts are several
nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOOLS = ("iptables", "ip6tables", "nft ", "ipvsadm", "ipset ")
_PROMPT = re.compile(
    r"[ \t>]*(?:\[[\w.-]+@(?P<bracketed>[\w.-]+)[^\]\n]{0,200}\]|[\w.-]+@(?P<of_user>[\w.-]+)(?::[^\s#$]{0,200})?"
    r"|(?P<bare>(?!bash|sh-)[a-z][\w.-]*\d[\w.-]*)(?::[^\s#$]{0,200})?) ?[#$] ?(?:sudo )?(?:/\S{0,80}/)?\Z"
)
_HEADING = re.compile(
    r"^[ \t]*[=#*-]{0,20}[ \t]*(?P<name>[\w.-]{0,60}(?:node|master|worker)[\w.-]{0,60}?)"
    r"[ \t]*(?::|[=#*-]{2,20})[ \t]*$",
    re.MULTILINE,
)
_PASTED = 1 << 18
"""Longer texts are files, which have no headings."""
_MOST = 200
"""How many uses of each tool's name are looked at: a long text with one in every line is not a session."""


def hosts_of(text: str) -> list[str]:
    """The hosts in whose shells a tool was called, or else those that headings name, in order."""
    hosts = list(dict.fromkeys(host for _, host in sorted(_calls(text))))
    if hosts or len(text) > _PASTED:
        return hosts
    return list(dict.fromkeys(found["name"] for found in _HEADING.finditer(text)))


def _calls(text: str) -> Iterator[tuple[int, str]]:
    for tool in _TOOLS:
        position = text.find(tool)
        for _ in range(_MOST):
            if position < 0:
                break
            start = text.rfind("\n", max(0, position - 400), position) + 1
            prompt = _PROMPT.match(text[start:position])
            if prompt is not None:
                yield position, prompt["bracketed"] or prompt["of_user"] or prompt["bare"]
            position = text.find(tool, position + len(tool))
