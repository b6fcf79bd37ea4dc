"""Whether a ruleset's text is complete, so that what it lacks does not exist."""

from __future__ import annotations

from ipt_explain.model import Extent, Form, Ruleset


def shows_all(ruleset: Ruleset) -> bool:
    """Whether the text shows everything in the ruleset's tables: iptables-save, `iptables -S` or `iptables -nvL`
    (without -v, interfaces are hidden)."""
    if ruleset.form is not Form.COLUMNS:
        return ruleset.form in (Form.SAVE, Form.LISTING)
    return all(
        table.extent is Extent.WHOLE
        and all(
            chain.extent is Extent.WHOLE and not any(shape.hidden for shape in chain.layout.shapes)
            for chain in table.chains.values()
        )
        for table in ruleset.tables.values()
    )
