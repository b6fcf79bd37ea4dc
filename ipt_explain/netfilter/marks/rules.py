"""Rules that change packet marks, and rules that test them."""

from __future__ import annotations

from ipt_explain.model import Chain, Rule
from ipt_explain.netfilter.marks.bits import Mark, MarkChange, mark_change, parse_mark
from ipt_explain.records import dataclass


def change_by(rule: Rule) -> MarkChange | None:
    """How a MARK rule changes the mark; None for another rule, or an unreadable value."""
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
    """A rule that tests a mark (`-m mark`)."""

    rule: Rule
    mark: Mark
    negated: bool

    def passes(self, mark: int) -> bool:
        """Whether a packet with this mark satisfies the test."""
        return self.mark.fits(mark) is not self.negated


def mark_tests(chain: Chain | None) -> tuple[MarkTest, ...]:
    """The mark tests in a chain, except unreadable ones."""
    return tuple(test for rule in (() if chain is None else chain.rules) if (test := mark_test(rule)) is not None)


def mark_test(rule: Rule) -> MarkTest | None:
    """The mark that a rule tests."""
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
