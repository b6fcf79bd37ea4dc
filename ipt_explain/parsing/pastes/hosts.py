"""The hosts that prompts name, where a paste has commands that print rules: several hosts are several nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOOLS = ("iptables", "ip6tables", "nft ", "ipvsadm", "ipset ")
_PROMPT = re.compile(
    r"[ \t>]*(?:\[[\w.-]+@(?P<bracketed>[\w.-]+)[^\]\n]{0,200}\]|[\w.-]+@(?P<of_user>[\w.-]+)(?::[^\s#$]{0,200})?"
    r"|(?P<bare>(?!bash|sh-)[a-z][\w.-]*\d[\w.-]*)(?::[^\s#$]{0,200})?) ?[#$] ?(?:sudo )?(?:/\S{0,80}/)?\Z"
)
_MOST = 200
"""How many uses of each tool's name are looked at: a long text with one in every line is not a session."""


def hosts_of(text: str) -> list[str]:
    """The hosts in whose shells a tool was called, in order."""
    return list(dict.fromkeys(host for _, host in sorted(_calls(text))))


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
