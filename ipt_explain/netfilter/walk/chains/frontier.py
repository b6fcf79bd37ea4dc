"""The frontier of a crowd in one chain, or in chains of one layout: which portions wait at which rules."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from operator import neg
from typing import TYPE_CHECKING

from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.chains.chain_index import ChainIndexes
from ipt_explain.netfilter.walk.chains.evaluator import Evaluator, Outcome, Rows
from ipt_explain.netfilter.walk.chains.portions import Portions
from ipt_explain.netfilter.walk.chains.search import Found, Met, Search, SpreadPortion
from ipt_explain.netfilter.walk.chains.visit import Portion, Trail, Visit

if TYPE_CHECKING:
    from ipt_explain.netfilter.assumptions import Answers

_COST_OF_A_SEARCH = 40
_COST_OF_AN_ANSWER = 8
_COSTLY_ANSWERS = 32
_COST_OF_AN_ADDITION = 10

_MOST_STATES = 2048
"""A packet may wait at one rule in at most so many different states."""

Key = tuple[PacketState, Rows]


class Budget:
    """How much work is left, in evaluated rules. Input that would take longer is cut short."""

    def __init__(self, rules: int) -> None:
        self.left = rules


class Frontier:
    """Portions of a visit's crowd, each waiting at the next rule that may match it.

    What one packet meets does not depend on the others. So many packets meet rules for single addresses together,
    wherever these are in the chain. All other rules are met in order, so that portions which have become equal join.
    `given_up` are portions that the budget did not suffice to follow.
    """

    def __init__(self, visit: Visit, evaluator: Evaluator, indexes: ChainIndexes, budget: Budget) -> None:
        self.given_up: list[Portion] = []
        self.search = Search(visit, evaluator, indexes)
        self._evaluator = evaluator
        self._budget = budget
        self._ready: list[Found] = []
        self._looking: list[tuple[Portion, Sequence[int]]] = []
        self._places: list[int] = []  # where portions wait, in reverse order
        self._waiting: dict[int, Portions[Key, Trail | None]] = {}
        self._outcomes: dict[tuple[int, Key], Outcome] = {}
        self._searched: dict[Key, tuple[int, int]] = {}
        self._alone: Met | None = None
        self._most_waiting = _MOST_STATES * max(1, len(visit.who))

    def add(self, portion: Portion, start: int) -> None:
        """Find a portion's next rule, from `start` on."""
        key = (portion.state, portion.rows)
        known = self._searched.get(key)
        if known is not None and known[0] <= start <= known[1]:
            self._budget.left -= _COST_OF_AN_ADDITION
            self._wait(portion, known[1], self._outcomes[known[1], key])
            return
        if not self._affords():
            self.given_up.append(portion)
            return
        asked = self._evaluator.asked
        self._alone = None
        self._looking.extend(self.search.from_place(portion, start))
        self._take_found()
        self._budget.left -= self._evaluator.asked - asked + _cost(portion.state)
        alone = self._alone
        if alone is not None and alone.portion.rows is portion.rows and alone.portion.share is portion.share:
            assert isinstance(alone.place, int)
            self._searched[key] = start, alone.place

    def behind(self, portion: Portion, place: int | Sequence[int]) -> None:
        """Find a portion's next rule after the one that it met; each row after its own."""
        if isinstance(place, int):
            self.add(portion, place + 1)
        elif self._affords():
            self._looking.extend(self.search.behind(portion, place))
            self._take_found()
        else:
            self.given_up.append(portion)

    def pop(self) -> Found | None:
        """The next portion at its rule; None if none waits."""
        while True:
            if self._ready:
                return self._ready.pop()
            if self._looking:
                portion, places = self._looking.pop()
                self.behind(portion, places[0] if len(places) == 1 else places)
                continue
            if not self._places:
                return None
            self._reach(self._places.pop())

    def _reach(self, place: int) -> None:
        """Let all portions that wait at a place meet its rule."""
        portions = self._waiting.pop(place)
        if len(portions) > 1:
            portions.forget_idle_answers(lambda key: key[0].answers, _with_answers)
            portions.forget_counts(lambda key: key[0].counted, _with_counted)
        for key, held in portions.items():
            state, rows = key
            portion = Portion(state, rows, held.share, held.via)
            outcome = Truth.NO if place == self.search.end else self._outcomes.get((place, key))
            if outcome is not None:
                self._ready.append(Met(portion, place, outcome))
                continue
            rest = self.search.ask(portion, place)  # its state lost an idle answer, so the rule must be asked again
            self._take_found()
            if rest is not None:
                self.add(rest, place + 1)

    def _affords(self) -> bool:
        self._budget.left -= _COST_OF_AN_ADDITION
        return self._budget.left > 0

    def _take_found(self) -> None:
        for found in self.search.found:
            if isinstance(found, SpreadPortion) or not isinstance(found.place, int):
                self._ready.append(found)
            else:
                self._alone = found
                self._wait(found.portion, found.place, found.outcome)
        self.search.found.clear()

    def _wait(self, portion: Portion, place: int, outcome: Outcome) -> None:
        key = (portion.state, portion.rows)
        if place not in self._waiting:
            self._waiting[place] = Portions()
            insort(self._places, place, key=neg)
        self._waiting[place].gather(key, portion.share, portion.via)
        self._outcomes[place, key] = outcome
        if len(self._waiting[place]) > self._most_waiting:
            self._budget.left = 0  # every later rule may double them: work would never end


def _with_counted(key: Key, counted: tuple[int, ...]) -> Key:
    return key[0]._replace(counted=counted), key[1]


def _with_answers(key: Key, answers: Answers) -> Key:
    return key[0].with_answers(answers), key[1]


def _cost(state: PacketState) -> int:
    """The cost of a search in a state. The more answers a state assumes, the more states like it there may be."""
    answers = len(state.answers)
    return _COST_OF_A_SEARCH + _COST_OF_AN_ANSWER * min(answers, _COSTLY_ANSWERS) + 4 * answers
