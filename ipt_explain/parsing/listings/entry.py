"""Entry point, with a cheap test for texts without listings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ipt_explain.model.dump import SourceText
from ipt_explain.patterns import lazy_pattern

if TYPE_CHECKING:
    from ipt_explain.parsing.listings.chains import TakenListings

_CHAIN = lazy_pattern(r"^[ \t>]{0,40}Chain [^\n(]{1,300} \(", re.MULTILINE)


def take_out_listings(source: SourceText) -> TakenListings | None:
    """The listings in a text, and the text without them; None if it has none."""
    first = _CHAIN.search(source.text) if "Chain " in source.text else None
    if first is None:
        return None
    from ipt_explain.parsing.listings.chains import take_out_listings as take_out

    return take_out(source, first.start())
