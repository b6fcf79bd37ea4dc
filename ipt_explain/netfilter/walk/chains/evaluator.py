"""Evaluates rules: whether they match packets. The one evaluator; it asks a batch of rules about a crowd at once."""

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
from ipt_explain.records import Record

Outcome = Truth | tuple[Branch, ...]
"""Whether a rule matches: YES, NO, or branches whose shares sum to 1."""

Rows = tuple[int, ...] | None
"""Which rows of a crowd; None for all."""


class Crowd:
    """Packets that differ only in their current and original destinations."""

    __slots__ = ("_latest", "_sent", "_who", "to")

    def __init__(self, to: Sequence[Heading], sent: Sequence[Heading], who: Sequence[int] | None = None) -> None:
        """`sent` has the original destinations of all packets of the journey; `who` are the numbers of this crowd's
        packets among them, None for all."""
        self.to = to if isinstance(to, CachedColumn) else CachedColumn(to)
        self._sent = sent
        self._who = range(len(sent)) if who is None else who
        self._latest: tuple[Sequence[int], Crowd] | None = None

    def __len__(self) -> int:
        return len(self.to)

    @property
    def sent(self) -> Sequence[Heading]:
        """Each packet's original destination."""
        return picked(self._sent, self._who)

    def bound(self, row: int, line: int) -> Bound:
        """A packet's destinations, for the rule on a line."""
        return Bound(self.to[row], self._sent[self._who[row]], line)

    def take(self, rows: Sequence[int]) -> Crowd:
        """The packets of some rows, in the order given. The last result is kept: one rule after another asks for the
        same rows."""
        if self._latest is None or self._latest[0] is not rows:
            self._latest = rows, Crowd(picked(self.to, rows), self._sent, picked(self._who, rows))
        return self._latest[1]

    def repeated(self, times: int) -> Crowd:
        """The same packets, `times` times over."""
        return Crowd(list(self.to) * times, self._sent, list(self._who) * times)


class _Group(Record, eq=False):
    """Rows of a crowd that a rule has treated alike so far, with their rules and packets. `rows` is None for all."""

    rows: Rows
    batch: Batch
    crowd: Crowd
    questions: tuple[Question, ...]

    def of(self, part: Rows, questions: tuple[Question, ...]) -> _Group:
        """A part of the group, counted within it, with the questions asked of it."""
        if part is None:
            return self if questions is self.questions else _Group(self.rows, self.batch, self.crowd, questions)
        return _Group(self.numbers(part), self.batch.take(part), self.crowd.take(part), questions)

    def numbers(self, part: tuple[int, ...]) -> tuple[int, ...]:
        """The numbers in the crowd of a part of the group's rows."""
        return part if self.rows is None else tuple([self.rows[row] for row in part])


class Evaluator:
    """Asks rules about packets. A shape is compiled when first met, and a rule's conditions are evaluated until one
    fails.

    `asked` counts the batches asked.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._compiled: dict[Shape, tuple[Condition, ...]] = {}

    def conditions(self, shape: Shape) -> tuple[Condition, ...]:
        """The conditions of a shape's rules, in the kernel's order."""
        conditions = self._compiled.get(shape)
        if conditions is None:
            conditions = self._compiled[shape] = compile_shape(shape)
        return conditions

    def ask(self, batch: Batch, state: PacketState, crowd: Crowd) -> list[tuple[Outcome, Rows]]:
        """Whether rules match the packets of a crowd in one state: the outcomes other than NO, each with its rows.

        Rows in none of the outcomes do not match.
        """
        self.asked += 1
        conditions = self.conditions(batch.shape)
        answered: list[tuple[Outcome, Rows]] = []
        groups = [_Group(None, batch, crowd, ())]
        for number, condition in enumerate(conditions):
            going_on: list[_Group] = []
            for group in groups:
                for answer, part in self._answers(condition, group.batch, state, group.crowd):
                    if answer is Truth.YES:
                        going_on.append(group.of(part, group.questions))
                    elif isinstance(answer, Question):
                        going_on.append(group.of(part, (*group.questions, answer)))
                    elif not isinstance(answer, Truth):
                        some = group.of(part, group.questions)
                        answered.extend(self._branched(some, state, answer, conditions[number + 1 :]))
            groups = going_on
            if not groups:
                return answered
        for group in groups:
            answered.append((split(group.questions, state) if group.questions else Truth.YES, group.rows))
        return answered

    def _answers(
        self, condition: Condition, batch: Batch, state: PacketState, crowd: Crowd
    ) -> Iterable[tuple[Answer, Rows]]:
        """The answers of one condition, each with its rows."""
        if len(crowd) == 1:
            return ((self._one(condition, batch, state, crowd, 0), None),)
        columns = [_alike_as_one(batch.column(slot)) for slot in condition.slots]
        if condition.at_once is not None:
            try:
                answer = condition.at_once(columns, state, crowd)
            except ValueError:
                answer = None
            if isinstance(answer, list):
                return _by_answer(answer)
            if answer is not None:
                return ((answer, None),)
        alike = all(isinstance(column, str) for column in columns)
        if alike and not condition.bound and not condition.sent and not (condition.alone and not batch.single):
            return ((self._one(condition, batch, state, crowd, 0), None),)
        return self._by_words(condition, batch, state, crowd, columns)

    def _by_words(
        self, condition: Condition, batch: Batch, state: PacketState, crowd: Crowd, columns: Sequence[Column]
    ) -> Iterable[tuple[Answer, Rows]]:
        """Ask once for all rows that look the same to the condition."""
        if condition.alone:
            return _by_answer([self._one(condition, batch, state, crowd, row) for row in range(len(crowd))])
        lists: list[Sequence[object]] = [column for column in columns if not isinstance(column, str)]
        if condition.bound:
            lists.append(crowd.to)
        if condition.sent:
            lists.append(crowd.sent)
        known: dict[object, Answer] = {}
        found: list[Answer] = []
        for row, shown in enumerate(zip(*lists)):
            if shown not in known:
                known[shown] = self._one(condition, batch, state, crowd, row)
            found.append(known[shown])
        return _by_answer(found)

    def _one(self, condition: Condition, batch: Batch, state: PacketState, crowd: Crowd, row: int) -> Answer:
        try:
            line = batch.line(row) if condition.alone else 0
            return condition.test(batch.words(condition.slots, row), state, crowd.bound(row, line))
        except (ValueError, IndexError):
            return Question(f"line {batch.line(row)} matches")

    def _branched(
        self, group: _Group, state: PacketState, branches: Sequence[Branch], rest: Sequence[Condition]
    ) -> Iterable[tuple[Outcome, Rows]]:
        """Evaluate the questions so far, then a condition that splits packets by chance, then the remaining conditions,
        for each row."""
        if not rest:
            yield self._split_on(group, state, 0, branches, rest), group.rows
            return
        groups: dict[Outcome, list[int]] = {}
        for row in range(len(group.crowd)):
            groups.setdefault(self._split_on(group, state, row, branches, rest), []).append(row)
        for outcome, found in groups.items():
            yield outcome, group.numbers(tuple(found))

    def _split_on(
        self, group: _Group, state: PacketState, row: int, branches: Sequence[Branch], rest: Sequence[Condition]
    ) -> tuple[Branch, ...]:
        questions = group.questions
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
                answer = self._one(condition, group.batch, branch.state, group.crowd, row)
                for one in _branches(answer, branch.state):
                    weighed = Branch(product(branch.share, one.share), one.matches, one.state)
                    (still if one.matches else failed).append(weighed)
            matched = still
        return (*matched, *failed)


def _alike_as_one(column: Column) -> Column:
    return column[0] if not isinstance(column, str) and is_alike(column) else column


def _by_answer(answers: Sequence[Answer]) -> Iterable[tuple[Answer, Rows]]:
    """The answers with their rows, given one answer per row. Equal answers are mostly one object."""
    same: dict[int, list[int]] = {}
    for row, answer in enumerate(map(id, answers)):
        same.setdefault(answer, []).append(row)
    found: dict[Answer, list[int]] = {}
    for rows in same.values():
        found.setdefault(answers[rows[0]], []).extend(rows)
    if len(found) == 1:
        return [(answer, None) for answer in found]
    return [(answer, tuple(sorted(rows))) for answer, rows in found.items()]


def _branches(answer: Answer, state: PacketState) -> tuple[Branch, ...]:
    if isinstance(answer, Question):
        return split((answer,), state)
    return (Branch(ALWAYS, answer is Truth.YES, state),) if isinstance(answer, Truth) else answer
