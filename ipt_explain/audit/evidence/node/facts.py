"""Who wrote a ruleset."""

from __future__ import annotations

from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.node.writer import Writer, writer_of
from ipt_explain.audit.fact import fact


@fact
def writer(context: RulesetContext) -> Writer:
    """Who wrote the ruleset."""
    return writer_of(context.ruleset, context.facts.mode, context.version)
