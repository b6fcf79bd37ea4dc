"""Whether a ruleset's text tells all: then what it lacks does not exist."""

from __future__ import annotations

from ipt_explain.model import Extent, Form, Ruleset


def shows_all(ruleset: Ruleset) -> bool:
    """Whether nothing of the ruleset's tables is missing: iptables-save, `iptables -S`, or `iptables -nvL`, which
    without -v would hide interfaces."""
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
