"""Whether rules match packets: the one evaluator. It asks a batch of rules about a crowd of packets at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipt_explain.model import Shape
from ipt_explain.netfilter.cached import CachedColumn
from ipt_explain.netfilter.condition import Answer, Branch, Column, Condition, Question, split
from ipt_explain.netfilter.matches import compile_shape
from ipt_explain.netfilter.packet import Bound, Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, product
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.columns import Batch, is_alike, picked

Outcome = Truth | tuple[Branch, ...]
"""Whether a rule matches: YES, NO, or branches whose shares sum to 1."""

Rows = tuple[int, ...] | None
"""Which rows of a crowd; None for all."""


class Crowd:
    """Packets that differ in nothing but where each is bound for, and where each was sent."""

    __slots__ = ("_latest", "_sent", "_who", "to")

    def __init__(self, to: Sequence[Heading], sent: Sequence[Heading], who: Sequence[int] | None = None) -> None:
        """`sent` is where all that set out were sent, `who` which of them these are; None: all."""
        self.to = to if isinstance(to, CachedColumn) else CachedColumn(to)
        self._sent = sent
        self._who = range(len(sent)) if who is None else who
        self._latest: tuple[Sequence[int], Crowd] | None = None

    def __len__(self) -> int:
        return len(self.to)

    @property
    def sent(self) -> Sequence[Heading]:
        """Where each was sent at first."""
        return picked(self._sent, self._who)

    def bound(self, row: int, line: int) -> Bound:
        """What is a packet's own, for the rule on a line."""
        return Bound(self.to[row], self._sent[self._who[row]], line)

    def take(self, rows: Sequence[int]) -> Crowd:
        """Some of them, in this order. The same rows are mostly asked for several times, by one rule after another."""
        if self._latest is None or self._latest[0] is not rows:
            self._latest = rows, Crowd(picked(self.to, rows), self._sent, picked(self._who, rows))
        return self._latest[1]

    def repeated(self, times: int) -> Crowd:
        """The same packets over and over."""
        return Crowd(list(self.to) * times, self._sent, list(self._who) * times)


class Evaluator:
    """Asks rules about packets. Shapes are compiled when first met; rules cost only the conditions that they get to.

    `asked` counts the rules asked, a crowd for one.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._compiled: dict[Shape, tuple[Condition, ...]] = {}

    def conditions(self, shape: Shape) -> tuple[Condition, ...]:
        """What the rules of a shape ask of a packet, in the kernel's order."""
        conditions = self._compiled.get(shape)
        if conditions is None:
            conditions = self._compiled[shape] = compile_shape(shape)
        return conditions

    def ask(self, batch: Batch, state: PacketState, crowd: Crowd) -> list[tuple[Outcome, Rows]]:
        """What the rules say of the packets of a crowd in one state: outcomes other than NO, each with its rows.

        The rows that are left match nothing.
        """
        self.asked += 1
        conditions = self.conditions(batch.shape)
        answered: list[tuple[Outcome, Rows]] = []
        groups: list[tuple[Rows, tuple[Question, ...]]] = [(None, ())]
        for number, condition in enumerate(conditions):
            going_on: list[tuple[Rows, tuple[Question, ...]]] = []
            for rows, questions in groups:
                for answer, part in self._answers(condition, batch, state, crowd, rows):
                    if answer is Truth.YES:
                        going_on.append((part, questions))
                    elif isinstance(answer, Question):
                        going_on.append((part, (*questions, answer)))
                    elif not isinstance(answer, Truth):
                        rest = conditions[number + 1 :]
                        answered.extend(self._branched(batch, state, crowd, part, questions, answer, rest))
            groups = going_on
            if not groups:
                return answered
        for rows, questions in groups:
            answered.append((split(questions, state) if questions else Truth.YES, rows))
        return answered

    def _answers(
        self, condition: Condition, batch: Batch, state: PacketState, crowd: Crowd, rows: Rows
    ) -> Iterable[tuple[Answer, Rows]]:
        """What one condition answers, each answer with the rows that it is for."""
        if len(crowd) == 1:
            return ((self._one(condition, batch, state, crowd, 0), None),)
        columns = [batch.column(slot) for slot in condition.slots]
        if condition.at_once is not None and rows is None:
            try:
                answer = condition.at_once(columns, state, crowd.to)
            except ValueError:
                answer = None
            if isinstance(answer, list):
                return _by_answer(answer)
            if answer is not None:
                return ((answer, rows),)
        alike = all(isinstance(column, str) or is_alike(column) for column in columns)
        if alike and not condition.bound and not condition.sent and not (condition.alone and not batch.single):
            return ((self._one(condition, batch, state, crowd, 0 if rows is None else rows[0]), rows),)
        return self._by_words(condition, batch, state, crowd, rows, columns)

    def _by_words(
        self,
        condition: Condition,
        batch: Batch,
        state: PacketState,
        crowd: Crowd,
        rows: Rows,
        columns: Sequence[Column],
    ) -> Iterable[tuple[Answer, Rows]]:
        """Ask once for rows that show the condition the same."""
        lists: list[Sequence[object]] = [column for column in columns if not isinstance(column, str)]
        if condition.bound:
            lists.append(crowd.to)
        if condition.sent:
            lists.append(crowd.sent)
        shown: Sequence[object] = lists[0] if len(lists) == 1 else list(zip(*lists)) if lists else [()] * len(crowd)
        groups: dict[object, list[int]] = {}
        for row in range(len(crowd)) if rows is None else rows:
            groups.setdefault(row if condition.alone else shown[row], []).append(row)
        by_answer: dict[Answer, list[int]] = {}
        for same in groups.values():
            answer = self._one(condition, batch, state, crowd, same[0])
            by_answer.setdefault(answer, []).extend(same)
        if len(by_answer) == 1:
            return [(answer, rows) for answer in by_answer]
        return [(answer, tuple(sorted(found))) for answer, found in by_answer.items()]

    def _one(self, condition: Condition, batch: Batch, state: PacketState, crowd: Crowd, row: int) -> Answer:
        try:
            line = batch.line(row) if condition.alone else 0
            return condition.test(batch.words(condition.slots, row), state, crowd.bound(row, line))
        except (ValueError, IndexError):
            return Question(f"line {batch.line(row)} matches")

    def _branched(
        self,
        batch: Batch,
        state: PacketState,
        crowd: Crowd,
        rows: Rows,
        questions: Sequence[Question],
        branches: Sequence[Branch],
        rest: Sequence[Condition],
    ) -> Iterable[tuple[Outcome, Rows]]:
        """Questions, then a condition that treats packets differently, and those after it, one after another."""
        if not rest:
            yield self._split_on(batch, state, crowd, 0, questions, branches, rest), rows
            return
        groups: dict[Outcome, list[int]] = {}
        for row in range(len(crowd)) if rows is None else rows:
            outcome: Outcome = self._split_on(batch, state, crowd, row, questions, branches, rest)
            groups.setdefault(outcome, []).append(row)
        for outcome, found in groups.items():
            yield outcome, tuple(found)

    def _split_on(
        self,
        batch: Batch,
        state: PacketState,
        crowd: Crowd,
        row: int,
        questions: Sequence[Question],
        branches: Sequence[Branch],
        rest: Sequence[Condition],
    ) -> tuple[Branch, ...]:
        started = split(questions, state) if questions else (Branch(ALWAYS, True, state),)
        failed = [branch for branch in started if not branch.matches]
        matched: list[Branch] = []
        for branch in started:
            if branch.matches:
                for one in branches:
                    kept = one.state._replace(answers=branch.state.answers) if questions else one.state
                    weighed = Branch(product(branch.share, one.share), one.matches, kept)
                    (matched if one.matches else failed).append(weighed)
        for condition in rest:
            still: list[Branch] = []
            for branch in matched:
                answer = self._one(condition, batch, branch.state, crowd, row)
                for one in _branches(answer, branch.state):
                    weighed = Branch(product(branch.share, one.share), one.matches, one.state)
                    (still if one.matches else failed).append(weighed)
            matched = still
        return (*matched, *failed)


def _by_answer(answers: Sequence[Answer]) -> Iterable[tuple[Answer, Rows]]:
    """Answers, one a row, each with its rows."""
    found: dict[Answer, list[int]] = {}
    for row, answer in enumerate(answers):
        found.setdefault(answer, []).append(row)
    if len(found) == 1:
        return [(answer, None) for answer in found]
    return [(answer, tuple(rows)) for answer, rows in found.items()]


def _branches(answer: Answer, state: PacketState) -> tuple[Branch, ...]:
    if isinstance(answer, Question):
        return split((answer,), state)
    return (Branch(ALWAYS, answer is Truth.YES, state),) if isinstance(answer, Truth) else answer
