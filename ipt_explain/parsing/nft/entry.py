"""Entry point: the nftables rulesets in a text, and the text without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipt_explain.parsing.nft.beginnings import BEGINNING

if TYPE_CHECKING:
    from ipt_explain.model.dump import SourceText
    from ipt_explain.parsing.nft.taking_out import TakenOut


def take_out_nft(source: SourceText) -> TakenOut | None:
    """Take the output of `nft list …` and `nft -j list …` out of a text that may hold iptables' rules, too; None if it
    has none.

    The cost is linear in the text. The readers are imported only for a text with a ruleset.
    """
    first = BEGINNING.search(source.text)
    if first is None:
        return None
    from ipt_explain.parsing.nft.taking_out import take_out_from

    return take_out_from(source, first)
