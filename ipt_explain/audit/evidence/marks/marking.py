"""The chains that mark packets: KUBE-MARK-MASQ, KUBE-MARK-DROP."""

from __future__ import annotations

from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.conditions import conditions_of
from ipt_explain.audit.fact import fact
from ipt_explain.graph.never_returning import FINAL_TARGETS
from ipt_explain.model import Chain, Rule, Ruleset
from ipt_explain.netfilter.marks import MarkChange, change_by
from ipt_explain.records import Record


class MarkRule(Record):
    """A MARK rule of a marking chain, and what it does to the mark."""

    rule: Rule
    change: MarkChange


class Marking(Record):
    """What a marking chain does to packets that enter it.

    `settings` are its rules that mark every packet; `conditional` those that mark some; `cut` is a rule that sends
    packets away before all settings; `strange` are rules that do neither. `result` is the mark on a packet that came
    without one.
    """

    chain: Chain
    settings: tuple[MarkRule, ...]
    conditional: tuple[Rule, ...]
    cut: Rule | None
    strange: tuple[Rule, ...]
    result: int


@fact
def masquerade_marking(context: RulesetContext) -> Marking | None:
    """KUBE-MARK-MASQ, if the text has it."""
    return _read(context.ruleset, MARK_MASQ)


@fact
def drop_marking(context: RulesetContext) -> Marking | None:
    """KUBE-MARK-DROP, if the text has it."""
    return _read(context.ruleset, MARK_DROP)


def is_marked(context: RulesetContext) -> bool:
    """Whether any rule leads to KUBE-MARK-MASQ."""
    return context.is_called("nat", MARK_MASQ)


def _read(ruleset: Ruleset, name: str) -> Marking | None:
    """A marking chain of the nat table; None if the text lacks it."""
    chain = ruleset.chain("nat", name)
    if chain is None:
        return None
    settings: list[MarkRule] = []
    conditional: list[Rule] = []
    strange: list[Rule] = []
    cut, mark = None, 0
    for rule in chain.rules:
        change = change_by(rule)
        always = not conditions_of(rule, but_new=True)
        if change is None:
            if always and rule.target in FINAL_TARGETS:
                cut = rule
                break
            strange.append(rule)
        elif always:
            settings.append(MarkRule(rule, change))
            mark = change.apply(mark)
        else:
            conditional.append(rule)
    return Marking(chain, tuple(settings), tuple(conditional), cut, tuple(strange), mark)
