"""JSON documents that end in the middle, because a page or a form cut them off: what comes before the cut."""

from __future__ import annotations

import json
import re
from typing import Any

from ipt_explain.parsing.nft.assembly import ChainDraft, RulesetDraft

_ITEMS = re.compile(r'\s*(?:\{\s*"nftables"\s*:\s*)?\[\s*')
_BETWEEN = re.compile(r"\s*,\s*")
_AFTER_CUT = re.compile(r"\s*(?:\Z|```|~~~|\.{3}|…)")
_WITHIN_STRING = ("Unterminated string", "Invalid control character")


def cut_at(text: str, error: json.JSONDecodeError) -> int | None:
    """Where a document is cut off; None if it is broken in another way, and more of it may follow."""
    if error.msg.startswith(_WITHIN_STRING):
        end = text.find("\n", error.pos)
        end = len(text) if end < 0 else end
        return end if _AFTER_CUT.match(text, end) else None
    return error.pos if _AFTER_CUT.match(text, error.pos) else None


def whole_items(text: str) -> list[Any]:
    """The complete items of nft's list."""
    begun = _ITEMS.match(text)
    decoder = json.JSONDecoder()
    found: list[Any] = []
    position = None if begun is None else begun.end()
    while position is not None:
        try:
            item, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            break
        found.append(item)
        following = _BETWEEN.match(text, end)
        position = None if following is None else following.end()
    return found


def leave_out_parts(draft: RulesetDraft, last: ChainDraft | None) -> None:
    """Drop chains that may lack rules: those without any (nft prints rules after all chains), and `last`, the last one
    that has some."""
    draft.fragment = True
    for table in draft.tables.values():
        for name in [name for name, chain in table.chains.items() if not chain.rules or chain is last]:
            del table.chains[name]
