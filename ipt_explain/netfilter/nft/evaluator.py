"""What one rule does with one packet: its statements run in order until one does not match or decides."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.model import nft
from ipt_explain.netfilter.condition import Question, split
from ipt_explain.netfilter.nft.misses import destination_of
from ipt_explain.netfilter.nft.statements import StatementEffect, Statements
from ipt_explain.netfilter.nft.values.readings import looks_at_heading
from ipt_explain.netfilter.nft.ways import Way, then_of
from ipt_explain.netfilter.packet import Bound, Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, product
from ipt_explain.netfilter.targets import Flow
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Bits
from ipt_explain.records import NamedTuple


class _InRule(NamedTuple):
    """Packets on their way through a rule: the next statement, and the questions since the last effect."""

    share: Probability
    state: PacketState
    to: Heading
    next: int
    questions: tuple[Question, ...]


class NftEvaluator:
    """Evaluates rules for packets."""

    def __init__(self) -> None:
        self.statements = Statements()
        self._about_heading: dict[nft.Rule, bool] = {}
        self._destinations: dict[nft.Rule, Bits | None] = {}

    def ways(self, table: nft.Table, rule: nft.Rule, state: PacketState, bound: Bound) -> tuple[Way, ...]:
        """What a rule of a table does with a packet. The shares sum to 1.

        A statement that does not match ends the rule; the effects of earlier ones remain, as in the kernel. Successive
        questions are combined: either all are answered as the rule requires, or not all.
        """
        statements, answer_of = rule.statements, self.statements.answer
        if len(statements) == 1 and isinstance(statements[0], nft.Verdict):
            return (Way(ALWAYS, then_of(statements[0]) or Flow.CONTINUE, state, bound.to, True),)
        if len(statements) == 1 and isinstance(statements[0], nft.VerdictMap):
            return tuple([
                Way(step.share, step.then or Flow.CONTINUE, step.state, step.to, step.matched, step.reason)
                for step in self.statements.verdict_map(table, rule, statements[0], state, bound)
            ])
        ways: list[Way] = []
        places = [_InRule(ALWAYS, state, bound.to, 0, ())]
        while places:
            share, state, to, number, questions = places.pop()
            here = bound if to is bound.to else Bound(to, bound.sent, bound.line)
            while number < len(statements):
                answer = answer_of(table, rule, statements[number], state, here)
                if answer is Truth.YES:
                    number += 1
                elif isinstance(answer, Question):
                    number, questions = number + 1, (*questions, answer)
                elif isinstance(answer, Truth):
                    # The rule does not match, whatever the answers to earlier questions.
                    ways.append(Way(share, Flow.CONTINUE, state, to, False))
                    break
                else:
                    place = _InRule(share, state, to, number, questions)
                    places += _answered(place, ways) if questions else reversed(_taken(place, answer, ways))
                    break
            else:
                if questions:
                    places += _answered(_InRule(share, state, to, number, questions), ways)
                else:
                    ways.append(Way(share, Flow.CONTINUE, state, to, True))
        return tuple(ways)

    def destination(self, rule: nft.Rule) -> Bits | None:
        """The network of the packets that a rule can match, if it tests their destination."""
        if rule not in self._destinations:
            self._destinations[rule] = destination_of(rule)
        return self._destinations[rule]

    def asks_where_to(self, rule: nft.Rule) -> bool:
        """Whether a rule may treat packets differently that differ only in their destination; otherwise one evaluation
        serves all. The protocol is not part of the destination here."""
        known = self._about_heading.get(rule)
        if known is None:
            known = self._about_heading[rule] = any(map(asks_where_to, rule.statements))
        return known

    def changed(
        self, table: nft.Table, rule: nft.Rule, statement: nft.Statement, state: PacketState, bound: Bound
    ) -> PacketState | None:
        """The packets' state after a statement that does not test their destination; None if it does, or if it decides
        or is uncertain."""
        if not isinstance(statement, _CHANGING) or asks_where_to(statement):
            return None
        answer = self.statements.answer(table, rule, statement, state, bound)
        if answer is Truth.YES:
            return state
        steps = answer if isinstance(answer, Sequence) else ()
        return steps[0].state if len(steps) == 1 and steps[0].then is None else None


# Statements that may change a packet's state, but not its destination.
_CHANGING = (nft.Mangle, nft.Counter, nft.Log, nft.Notrack, nft.FlowOffload, nft.Aside)


def _answered(place: _InRule, ways: list[Way]) -> list[_InRule]:
    """Both answers to the questions so far, before a statement changes the packet."""
    going = []
    for branch in split(place.questions, place.state):
        share = product(place.share, branch.share)
        if branch.matches:
            going.append(_InRule(share, branch.state, place.to, place.next, ()))
        elif share:
            ways.append(Way(share, Flow.CONTINUE, branch.state, place.to, False))
    return going


def _taken(place: _InRule, steps: Sequence[StatementEffect], ways: list[Way]) -> list[_InRule]:
    going = []
    for step in steps:
        share = product(place.share, step.share)
        if not share:
            continue
        if step.then is None:
            going.append(_InRule(share, step.state, step.to, place.next + 1, ()))
        else:
            ways.append(Way(share, step.then, step.state, step.to, step.matched, step.reason))
    return going


def asks_where_to(statement: nft.Statement) -> bool:
    """Whether a statement may treat packets differently that differ only in their destination."""
    if isinstance(statement, nft.Match):
        return looks_at_heading(statement.left)
    if isinstance(statement, nft.VerdictMap):
        return looks_at_heading(statement.key)
    if isinstance(statement, nft.Nat):
        return statement.kind in (nft.NatKind.DNAT, nft.NatKind.REDIRECT)
    if isinstance(statement, nft.SetUpdate):
        return looks_at_heading(statement.key)
    if isinstance(statement, nft.Mangle):
        return not isinstance(statement.target, nft.Meta) or (
            not isinstance(statement.value, (int, str)) and _varies(statement.value)
        )
    return False


def _varies(value: nft.Expression) -> bool:
    if isinstance(value, (nft.SetLiteral, nft.Concatenation)):
        return True
    key = getattr(value, "key", value)
    return not isinstance(key, str) and looks_at_heading(key)
