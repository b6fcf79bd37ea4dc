"""The way in: what the tools say in a text, and the text without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipt_explain.parsing.ipvs.taking_out import TakenOut
    from ipt_explain.source import SourceText


def take_out(source: SourceText) -> TakenOut | None:
    """What `ipvsadm`, `ipset` and `ip addr` say in a text that may hold rules too; None where they say nothing.

    Cost is linear in the text. What does the work is loaded only for a text with lines that these tools printed.
    """
    from ipt_explain.parsing.ipvs.signs import first_line

    first = first_line(source.text, 0)
    if first is None:
        return None
    from ipt_explain.parsing.ipvs.taking_out import take_out_from

    return take_out_from(source, first)
