"""The chains that mark packets: KUBE-MARK-MASQ, KUBE-MARK-DROP."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.audit.evidence.hooks.hook_states import extra_conditions
from ipt_explain.graph.never_returning import FINAL_TARGETS
from ipt_explain.model import Chain, Rule, Ruleset
from ipt_explain.netfilter.marks.bits import MarkChange
from ipt_explain.netfilter.marks.rules import change_by
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """A MARK rule of a marking chain, and what it does to the mark."""

    rule: Rule
    change: MarkChange


@dataclass(frozen=True, slots=True)
class Marking:
    """What a marking chain does to packets that enter it.

    `settings` are its rules that mark every packet; `conditional` those that mark some; `cut` is a rule that sends
    packets away before all settings are reached; `strange` are rules that do neither. `result` is the mark of a packet
    that came without one.
    """

    chain: Chain
    settings: tuple[Setting, ...]
    conditional: tuple[Rule, ...]
    cut: Rule | None
    strange: tuple[Rule, ...]
    result: int

    @property
    def bits(self) -> int:
        """All bits that its rules set, each taken by itself."""
        return _union(setting.change.flip for setting in self.settings)


def read_marking(ruleset: Ruleset, name: str) -> Marking | None:
    """A marking chain of the nat table; None where the text lacks it."""
    chain = ruleset.chain("nat", name)
    if chain is None:
        return None
    settings: list[Setting] = []
    conditional: list[Rule] = []
    strange: list[Rule] = []
    cut, mark = None, 0
    for rule in chain.rules:
        change = change_by(rule)
        always = not extra_conditions(rule, new_only=True)
        if change is None:
            if always and rule.target in FINAL_TARGETS:
                cut = rule
                break
            strange.append(rule)
        elif always:
            settings.append(Setting(rule, change))
            mark = change.apply(mark)
        else:
            conditional.append(rule)
    return Marking(chain, tuple(settings), tuple(conditional), cut, tuple(strange), mark)


def _union(marks: Iterator[int]) -> int:
    union = 0
    for mark in marks:
        union |= mark
    return union
