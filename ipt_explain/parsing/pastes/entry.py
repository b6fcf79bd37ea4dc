"""Entry point, with a cheap test for texts that hold only rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipt_explain.parsing.first_letters import has_odd_lines
from ipt_explain.source import SourceText

if TYPE_CHECKING:
    from ipt_explain.parsing.pastes.preparing import Prepared


def prepare(source: SourceText, has_listings: bool) -> Prepared | None:
    """The text with everything around its rules made readable or left out; None if nothing needs changing."""
    if not has_odd_lines(source.text):
        return None
    from ipt_explain.parsing.pastes.preparing import prepare_from

    return prepare_from(source, has_listings)
