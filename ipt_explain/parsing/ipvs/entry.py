"""Entry point: the tools' output in a text, and the text without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipt_explain.model.dump import SourceText
    from ipt_explain.parsing.ipvs.taking_out import TakenOut


def take_out(source: SourceText) -> TakenOut | None:
    """Take the output of `ipvsadm`, `ipset` and `ip addr` out of a text that may hold rules, too; None if it has none.

    The cost is linear in the text. The readers are imported only for a text with such lines.
    """
    from ipt_explain.parsing.ipvs.signs import first_line

    first = first_line(source.text, 0)
    if first is None:
        return None
    from ipt_explain.parsing.ipvs.taking_out import take_out_from

    return take_out_from(source, first)
