"""Chains, sets and maps of kube-proxy's table that were pasted without the table's first line.

Their names tell the table, because no other program uses such names. Only whole blocks are read: lines that `grep` took
out of a table do not tell their chain.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ipt_explain.model.dump import SourceText
from ipt_explain.parsing.nft.pasted import as_printed
from ipt_explain.parsing.nft.taking_out import TakenRuleset
from ipt_explain.parsing.nft.text_reader import TextReader
from ipt_explain.records import Record

_OPENING = re.compile(r"[ \t]*(?:chain|set|map) (\S+) *\{")
_OF_KUBE_PROXY = re.compile(
    r"^[ \t]*(?:chain [a-z]+-[A-Z2-7]{8}-[^\s/]+/[^\s/]+/(?:tcp|udp|sctp)/\S*"
    r"|map (?:service-ips|service-nodeports|no-endpoint-services|no-endpoint-nodeports|firewall-ips)"
    r"|set (?:cluster-ips|nodeport-ips|hairpin-connections)) *\{",
    re.MULTILINE,
)
_OF_IPV6 = re.compile(r"\bip6 |\bipv6_addr\b")
_NO_BRACE = re.compile(r'"[^"]*"|[^{}"]+')
_END = re.compile(r"\s*(?:```.*|~~~.*)?\Z")


class _Block(Record):
    """The lines of a block, from index `first` up to `end`."""

    first: int
    end: int
    closed: bool


def take_out_blocks(source: SourceText) -> TakenRuleset | None:
    """The ruleset of all blocks in a text without any table; None if there are none or some are incomplete."""
    if not _OF_KUBE_PROXY.search(source.text):
        return None
    lines = source.text.split("\n")
    try:
        blocks = list(_blocks(lines))
    except ValueError:
        return None
    reader = TextReader(source.name, source.text)
    for block in blocks:
        inner = lines[block.first : block.end]
        family = "ip6" if _OF_IPV6.search("\n".join(inner)) else "ip"
        text = "\n".join([f"table {family} kube-proxy {{", *inner, *(["}", ""] if block.closed else [])])
        reader.read(as_printed(text, Counter()), block.first)
        lines[block.first : block.end] = [""] * len(inner)
    draft = reader.draft
    draft.fragment = True
    for table in draft.tables.values():
        table.line += 1  # the line before a block may not even exist
    ruleset = draft.finished()
    said = f"{source.name}:{blocks[0].first + 1}: the first line of this table is missing; its names are kube-proxy's"
    rest = "\n".join(lines)
    return TakenRuleset(rest if rest.strip() else "", ruleset, tuple(reader.faults), (said, *draft.warnings))


def _blocks(lines: list[str]) -> Iterator[_Block]:
    """The blocks. Each ends with the line that closes it, or before an empty line or a fence. Raises ValueError if
    another block begins first."""
    place = 0
    while place < len(lines):
        if not _OPENING.match(lines[place]):
            place += 1
            continue
        first, depth = place, 0
        while place < len(lines) and not (depth > 0 and _END.match(lines[place])):
            if place > first and _OPENING.match(lines[place]):
                raise ValueError(lines[place])
            braces = _NO_BRACE.sub("", lines[place])
            depth += braces.count("{") - braces.count("}")
            place += 1
            if depth <= 0:
                break
        yield _Block(first, place, depth <= 0)
