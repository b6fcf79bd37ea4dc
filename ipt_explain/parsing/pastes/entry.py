"""Whether a text is a paste, with more in it than rules: a look that costs next to nothing where it is not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ipt_explain.patterns import lazy_pattern
from ipt_explain.source import SourceText

if TYPE_CHECKING:
    from ipt_explain.parsing.pastes.preparing import Prepared

_ODD_LINE = r"(?!-[A-Z][ \t]|[:*#\n]|\[\d|COMMIT$|--(?:append|insert|delete|replace)[ \t]|\Z)"
_FIRST = lazy_pattern(_ODD_LINE, re.MULTILINE)
# What goes on after a `\` is a rule's. Searching for `^` instead of the line feed takes seven times as long.
_LATER = lazy_pattern("\n(?<!\\\\\n)" + _ODD_LINE, re.MULTILINE)


def prepare(source: SourceText, has_listings: bool) -> Prepared | None:
    """The text with what people pasted around its rules made readable or left out; None where it needs nothing."""
    if _FIRST.match(source.text) is None and _LATER.search(source.text) is None:
        return None
    from ipt_explain.parsing.pastes.preparing import prepare_from

    return prepare_from(source, has_listings)
