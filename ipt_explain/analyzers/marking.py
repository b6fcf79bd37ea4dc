"""The chains that mark packets (KUBE-MARK-MASQ, KUBE-MARK-DROP) and the rules that test what they set."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.hooks import extra_conditions
from ipt_explain.graph.never_returning import FINAL_TARGETS
from ipt_explain.model import Chain, Rule, Ruleset
from ipt_explain.netfilter.marks import Mark, MarkChange, mark_change, parse_mark
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


def change_by(rule: Rule) -> MarkChange | None:
    """What a MARK rule does to the mark; None for another rule, or one whose value cannot be read."""
    target = rule.shape.target
    if target is None or target.name != "MARK":
        return None
    for option in target.options:
        try:
            return mark_change(option.name, rule.first(option) or "")
        except ValueError:
            continue
    return None


@dataclass(frozen=True, slots=True)
class MarkTest:
    """A rule that asks for a mark (`-m mark`)."""

    rule: Rule
    mark: Mark
    negated: bool

    def passes(self, mark: int) -> bool:
        """Whether a packet with this mark satisfies the test."""
        return self.mark.fits(mark) is not self.negated


def mark_tests(chain: Chain | None) -> tuple[MarkTest, ...]:
    """The tests in a chain, those with an unreadable value left out."""
    return tuple(test for rule in (() if chain is None else chain.rules) if (test := mark_test(rule)) is not None)


def mark_test(rule: Rule) -> MarkTest | None:
    """The mark that a rule asks for."""
    option = rule.shape.match_option("mark", "--mark")
    if option is None:
        return None
    try:
        return MarkTest(rule, parse_mark(rule.first(option) or ""), option.negated)
    except ValueError:
        return None


def single_bit(mark: int) -> bool:
    """Whether exactly one bit is set."""
    return mark != 0 and not mark & (mark - 1)


def _union(marks: Iterator[int]) -> int:
    union = 0
    for mark in marks:
        union |= mark
    return union
