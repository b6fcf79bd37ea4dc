"""Packets on their way down one chain: which states stand before which rule."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

from ipt_explain.model import Rule
from ipt_explain.netfilter.evaluator import Evaluator, Outcome
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.probability import Probability
from ipt_explain.netfilter.walk.portions import Portions
from ipt_explain.netfilter.walk.visit import Trail

_COST_OF_A_SEARCH = 40
_COST_OF_AN_ANSWER = 8
_COSTLY_ANSWERS = 32
_COST_OF_AN_ADDITION = 10


class Budget:
    """How much work is left, in rules asked. Input that would take longer is cut short, not waited for."""

    def __init__(self, rules: int) -> None:
        self.left = rules


class Frontier:
    """States of a packet, each waiting at the next rule that may match it; popped in the order of the rules.

    `given_up` are the portions that there was no budget to follow.
    """

    def __init__(self, rules: Sequence[Rule], evaluator: Evaluator, budget: Budget) -> None:
        self.given_up: list[tuple[Probability, Trail | None]] = []
        self._rules = rules
        self._evaluator = evaluator
        self._budget = budget
        self._here = -1
        self._places: list[int] = []
        self._waiting: dict[int, Portions[PacketState, Trail | None]] = {}
        self._scanned: dict[PacketState, tuple[int, int, Outcome]] = {}

    def add(self, state: PacketState, share: Probability, trail: Trail | None, start: int) -> None:
        """Let a portion look for its next rule from `start` on."""
        self._budget.left -= _COST_OF_AN_ADDITION
        known = self._scanned.get(state)
        if known is None or not known[0] <= start <= known[1]:
            if self._budget.left <= 0:
                self.given_up.append((share, trail))
                return
            asked_before = self._evaluator.asked
            place, answer = self._evaluator.next_match(self._rules, start, state)
            self._budget.left -= self._evaluator.asked - asked_before + _cost(state)
            known = self._scanned[state] = start, place, answer
        place = known[1]
        if place not in self._waiting:
            self._waiting[place] = Portions()
            heappush(self._places, place)
        self._waiting[place].gather(state, share, trail)

    def go_on(self, state: PacketState, share: Probability, trail: Trail | None) -> None:
        """Let a portion look for its next rule behind the one popped last."""
        self.add(state, share, trail, self._here + 1)

    def pop(self) -> tuple[Rule | None, Portions[PacketState, Trail | None]] | None:
        """The next rule with what waits there; the rule is None at the end of the chain. None when nothing waits."""
        if not self._places:
            return None
        place = self._here = heappop(self._places)
        portions = self._waiting.pop(place)
        if len(portions) > 1:
            portions.forget_idle_answers(lambda state: state.answers, PacketState.with_answers)
        return (self._rules[place] if place < len(self._rules) else None), portions

    def answer(self, rule: Rule, state: PacketState) -> Outcome:
        """What the rule popped last says of a state that waited there."""
        known = self._scanned.get(state)
        if known is not None and known[1] == self._here:
            return known[2]
        return self._evaluator.answer(rule, state)


def _cost(state: PacketState) -> int:
    """What it costs to search on in a state: the more has been assumed of it, the more like it there may be."""
    answers = len(state.answers)
    return _COST_OF_A_SEARCH + _COST_OF_AN_ANSWER * min(answers, _COSTLY_ANSWERS) + 4 * answers
