"""The chains that mark packets."""

from __future__ import annotations

from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.marks.marking_chains import Marking, read_marking
from ipt_explain.audit.fact import fact


@fact
def masquerade_marking(context: RulesetContext) -> Marking | None:
    """KUBE-MARK-MASQ, if the text has it."""
    return read_marking(context.ruleset, MARK_MASQ)


@fact
def drop_marking(context: RulesetContext) -> Marking | None:
    """KUBE-MARK-DROP, if the text has it."""
    return read_marking(context.ruleset, MARK_DROP)


def is_marked(context: RulesetContext) -> bool:
    """Whether any rule leads to KUBE-MARK-MASQ."""
    return context.is_called("nat", MARK_MASQ)
