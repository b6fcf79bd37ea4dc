"""The way in: the nftables rulesets that a text holds, and the text without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipt_explain.parsing.nft.beginnings import BEGINNING

if TYPE_CHECKING:
    from ipt_explain.parsing.nft.taking_out import TakenOut
    from ipt_explain.source import SourceText


def take_out_nft(source: SourceText) -> TakenOut | None:
    """What `nft list …` and `nft -j list …` say in a text that may hold iptables' rules too; None where they say
    nothing.

    Cost is linear in the text. What does the work is loaded only for a text that holds a ruleset.
    """
    # A listing has braces, a dump of iptables hardly ever: looking at each line's beginning would be felt there.
    first = BEGINNING.search(source.text) if "{" in source.text else None
    if first is None:
        return None
    from ipt_explain.parsing.nft.taking_out import take_out_from

    return take_out_from(source, first)
