"""Whether rules match packets: the one evaluator, for traces and for whoever else must know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipt_explain.model import Rule, Shape
from ipt_explain.netfilter.condition import Answer, Branch, Condition, Question, split
from ipt_explain.netfilter.matches import compile_shape
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.probability import ALWAYS, product
from ipt_explain.netfilter.rule_index import WORTH_AN_INDEX, RuleIndex
from ipt_explain.netfilter.truth import Truth

Outcome = Truth | tuple[Branch, ...]
"""Whether a rule matches: YES, NO, or branches whose shares sum to 1."""


class Evaluator:
    """Asks rules about packets. Shapes are compiled when first met; rules cost only the conditions that they get to.

    `asked` counts the rules looked at.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._compiled: dict[Shape, tuple[Condition, ...]] = {}
        self._indexes: dict[int, RuleIndex | None] = {}

    def answer(self, rule: Rule, state: PacketState) -> Outcome:
        """Whether a rule matches, as one answer for all of its conditions. What cannot be read is asked."""
        conditions = self._compiled.get(rule.shape)
        if conditions is None:
            conditions = self._compiled[rule.shape] = compile_shape(rule.shape)
        questions: list[Question] = []
        try:
            for place, condition in enumerate(conditions):
                answer = condition(rule, state)
                if answer is Truth.NO:
                    return Truth.NO
                if isinstance(answer, Question):
                    questions.append(answer)
                elif answer is not Truth.YES:
                    return self._split_on(rule, state, questions, conditions[place:])
        except (ValueError, IndexError):
            questions = [Question(f"line {rule.line} matches")]
        return split(questions, state) if questions else Truth.YES

    def next_match(self, rules: Sequence[Rule], start: int, state: PacketState) -> tuple[int, Outcome]:
        """The first rule from `start` on that does not plainly fail, and its answer; the number of rules and NO if
        none.

        A long chain that is gone through again is indexed by destination first: packets to many endpoints pass it one
        by one.
        """
        destination = state.destination
        if len(rules) - start < WORTH_AN_INDEX or state.to_interface or not isinstance(destination, int):
            return self._first_of(rules, range(start, len(rules)), state)
        key = id(rules)
        if key not in self._indexes:
            self._indexes[key] = None
            return self._first_of(rules, range(start, len(rules)), state)
        index = self._indexes[key]
        if index is None:
            index = self._indexes[key] = RuleIndex(rules)
        return self._first_of(rules, index.candidates(start, destination), state)

    def _first_of(self, rules: Sequence[Rule], places: Iterable[int], state: PacketState) -> tuple[int, Outcome]:
        compiled, answer_of, no = self._compiled, self.answer, Truth.NO
        asked = 0
        for place in places:
            asked += 1
            rule = rules[place]
            conditions = compiled.get(rule.shape)
            if conditions:
                try:
                    if conditions[0](rule, state) is no:
                        continue
                except (ValueError, IndexError):
                    pass
            answer = answer_of(rule, state)
            if answer is not no:
                self.asked += asked
                return place, answer
        self.asked += asked
        return len(rules), no

    def _split_on(
        self, rule: Rule, state: PacketState, questions: Sequence[Question], rest: Sequence[Condition]
    ) -> tuple[Branch, ...]:
        """Questions, and then conditions of which the first treats packets differently, one after another."""
        started = split(questions, state) if questions else (Branch(ALWAYS, True, state),)
        matched = [branch for branch in started if branch.matches]
        failed = [branch for branch in started if not branch.matches]
        for condition in rest:
            still: list[Branch] = []
            for branch in matched:
                for one in _branches(condition(rule, branch.state), branch.state):
                    weighed = Branch(product(branch.share, one.share), one.matches, one.state)
                    (still if one.matches else failed).append(weighed)
            matched = still
        return (*matched, *failed)


def _branches(answer: Answer, state: PacketState) -> tuple[Branch, ...]:
    if isinstance(answer, Question):
        return split((answer,), state)
    return (Branch(ALWAYS, answer is Truth.YES, state),) if isinstance(answer, Truth) else answer
