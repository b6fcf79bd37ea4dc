"""What one rule makes of one packet: its statements run in order, until one of them does not match or decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ipt_explain.model.nft import (
    Concatenation,
    Counter,
    Expression,
    FlowOffload,
    Log,
    Mangle,
    Match,
    Meta,
    Nat,
    NatKind,
    Notrack,
    Reject,
    Rule,
    SetLiteral,
    SetUpdate,
    Statement,
    Table,
    Unread,
    VerdictMap,
    Xtables,
)
from ipt_explain.model.nft import Verdict as Sentence
from ipt_explain.model.nft.printing import statement_text
from ipt_explain.netfilter.condition import Answer, Question, ask, split
from ipt_explain.netfilter.nat.targets import redirects_nowhere
from ipt_explain.netfilter.nft import memory
from ipt_explain.netfilter.nft.asking import Asking, Found
from ipt_explain.netfilter.nft.mangling import mangled
from ipt_explain.netfilter.nft.misses import Destinations, destinations_of
from ipt_explain.netfilter.nft.readings import looks_at_heading
from ipt_explain.netfilter.nft.rewriting import applies, rewritten
from ipt_explain.netfilter.nft.ways import Leap, Way, then_of
from ipt_explain.netfilter.packet import Bound, Heading, PacketState, Tracking
from ipt_explain.netfilter.probability import ALWAYS, Probability, product
from ipt_explain.netfilter.targets import Flow, Verdict
from ipt_explain.netfilter.truth import Truth


class _Step(NamedTuple):
    """What a statement makes of a share of packets. `then` None: they go on to the next statement."""

    share: Probability
    state: PacketState
    to: Heading
    then: Verdict | Flow | Leap | None = None
    matched: bool = True
    reason: str = ""


class _Place(NamedTuple):
    """Packets on their way through a rule: the next statement, and what was asked since the last effect."""

    share: Probability
    state: PacketState
    to: Heading
    next: int
    questions: tuple[Question, ...]


class Evaluator:
    """Asks rules about packets. Sets are indexed when first asked.

    `asked` counts the rules looked at.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._asking = Asking()
        self._about_heading: dict[Rule, bool] = {}
        self._destinations: dict[Rule, Destinations | None] = {}

    def ways(self, table: Table, rule: Rule, state: PacketState, bound: Bound) -> tuple[Way, ...]:
        """What a rule of a table makes of a packet: the ways on, whose shares sum to 1.

        Unmatched statements end the rule; effects of those before them stay, as in the kernel. Several questions that
        a rule asks in one go are put together: all as it takes, or not all.
        """
        self.asked += 1
        statements = rule.statements
        if len(statements) == 1 and isinstance(statements[0], Sentence):
            return (Way(ALWAYS, then_of(statements[0]) or Flow.CONTINUE, state, bound.to, True),)
        ways: list[Way] = []
        places = [_Place(ALWAYS, state, bound.to, 0, ())]
        while places:
            place = places.pop()
            if place.next == len(statements):
                if place.questions:
                    places += _answered(place, ways)
                else:
                    ways.append(Way(place.share, Flow.CONTINUE, place.state, place.to, True))
                continue
            statement = statements[place.next]
            answer = self._answer(table, rule, place, Bound(place.to, bound.sent, bound.line), statement)
            if isinstance(answer, Truth):
                if answer is Truth.YES:
                    places.append(place._replace(next=place.next + 1))
                else:
                    # Whatever is answered to what was asked before it, the rule does not match.
                    ways.append(Way(place.share, Flow.CONTINUE, place.state, place.to, False))
            elif isinstance(answer, Question):
                places.append(place._replace(next=place.next + 1, questions=(*place.questions, answer)))
            elif place.questions:
                places += _answered(place, ways)
            else:
                places += reversed(_taken(place, answer, ways))
        return tuple(ways)

    def destinations(self, table: Table, rule: Rule) -> Destinations | None:
        """All that a rule can match, as far as that is a matter of where packets are bound for."""
        if rule not in self._destinations:
            self._destinations[rule] = destinations_of(table, rule)
        return self._destinations[rule]

    def asks_where_to(self, rule: Rule) -> bool:
        """Whether packets that differ only in where they are bound for can fare differently: else one answer serves
        all of them. Protocols are the connection's, so that packets of several are asked about apart."""
        known = self._about_heading.get(rule)
        if known is None:
            known = self._about_heading[rule] = any(map(_looks_at_heading, rule.statements))
        return known

    def match(self, table: Table, match: Match, state: PacketState, bound: Bound) -> Answer:
        """Whether a match holds."""
        return self._asking.match(table, match, state, bound)

    def changed(
        self, table: Table, rule: Rule, statement: Statement, state: PacketState, bound: Bound
    ) -> PacketState | None:
        """What packets are behind a statement that does not look at where they are bound for; None where it does, and
        where it decides or cannot be told."""
        if not isinstance(statement, _CHANGING) or _looks_at_heading(statement):
            return None
        answer = self._answer(table, rule, _Place(ALWAYS, state, bound.to, 0, ()), bound, statement)
        if answer is Truth.YES:
            return state
        steps = answer if isinstance(answer, Sequence) else ()
        return steps[0].state if len(steps) == 1 and steps[0].then is None else None

    def _answer(
        self, table: Table, rule: Rule, place: _Place, bound: Bound, statement: Statement
    ) -> Truth | Question | Sequence[_Step]:
        state = place.state
        if isinstance(statement, Match):
            answer = self._asking.match(table, statement, state, bound)
            if isinstance(answer, (Truth, Question)):
                return answer
            return [
                _Step(branch.share, branch.state, bound.to, None if branch.matches else Flow.CONTINUE, branch.matches)
                for branch in answer
            ]
        effect = _EFFECTS.get(type(statement))
        if effect is not None:
            made: Truth | Question | Sequence[_Step] = effect(self, table, rule, statement, state, bound)
            return made
        if isinstance(statement, Unread):
            if statement is rule.statements[-1]:
                return [_Step(ALWAYS, state, bound.to, Verdict.UNKNOWN, True, f"what `{statement.text}` does")]
            return ask(state, f"{statement.text} ({_where(rule)}) matches")
        # Limits, quotas and counts of connections: each rule has a bucket of its own, even where two read the same.
        return ask(state, f"{statement_text(statement)} ({_where(rule)})")

    def _sentence(
        self, table: Table, rule: Rule, sentence: Sentence, state: PacketState, bound: Bound
    ) -> Truth | Sequence[_Step]:
        then = then_of(sentence)
        return Truth.YES if then is None else [_Step(ALWAYS, state, bound.to, then)]

    def _verdict_map(
        self, table: Table, rule: Rule, statement: VerdictMap, state: PacketState, bound: Bound
    ) -> Sequence[_Step]:
        steps = []
        for found in self._asking.lookups(table, statement.key, statement.data, state, bound):
            if found.unknown:
                reason = f"which verdict `{statement_text(statement)}` finds"
                steps.append(_Step(found.share, found.state, bound.to, Verdict.UNKNOWN, True, reason))
            elif found.element is None or not isinstance(found.element.data, Sentence):
                steps.append(_failed(found, bound))
            else:
                steps.append(_Step(found.share, found.state, bound.to, then_of(found.element.data)))
        return steps

    def _nat(self, table: Table, rule: Rule, nat: Nat, state: PacketState, bound: Bound) -> Truth | Sequence[_Step]:
        if not applies(nat, state):
            return Truth.NO
        steps = []
        for found, address in self._asking.values(table, nat.address, state, bound):
            if found.unknown:
                reason = f"where `{statement_text(nat)}` sends it"
                steps.append(_Step(found.share, found.state, bound.to, Verdict.UNKNOWN, True, reason))
            elif address is None and nat.address is not None:
                steps.append(_failed(found, bound))
            else:
                steps += self._rewritten(rule, nat, address, found, bound)
        return steps

    def _rewritten(
        self, rule: Rule, nat: Nat, address: Expression | None, found: Found, bound: Bound
    ) -> Sequence[_Step]:
        if nat.kind is NatKind.REDIRECT and redirects_nowhere(found.state):
            reason = f"{found.state.in_interface} has no address to redirect to"
            return [_Step(found.share, found.state, bound.to, Verdict.DROP, True, reason)]
        try:
            choices = rewritten(nat, address, found.state, bound.to)
        except ValueError:
            reason = f"where the unreadable `{statement_text(nat)}` sends it"
            return [_Step(found.share, found.state, bound.to, Verdict.UNKNOWN, True, reason)]
        return [_Step(product(found.share, share), state, to, Verdict.ACCEPT) for share, state, to in choices]

    def _mangle(self, table: Table, rule: Rule, mangle: Mangle, state: PacketState, bound: Bound) -> Sequence[_Step]:
        steps = []
        for found, value in self._asking.values(table, mangle.value, state, bound):
            if value is None and not found.unknown:
                steps.append(_failed(found, bound))
                continue
            after = None if found.unknown else mangled(mangle, value, found.state, bound)
            if after is None:
                reason = f"what `{statement_text(mangle)}` writes"
                steps.append(_Step(found.share, found.state, bound.to, Verdict.UNKNOWN, True, reason))
            else:
                steps.append(_Step(found.share, *after))
        return steps

    def _set_update(
        self, table: Table, rule: Rule, update: SetUpdate, state: PacketState, bound: Bound
    ) -> Truth | Sequence[_Step]:
        entered = memory.entered(table, update, state, bound.to)
        limits = [one for one in update.statements if not isinstance(one, Counter)]
        if not limits:
            return [_Step(ALWAYS, entered, bound.to)]
        texts = " ".join(map(statement_text, limits))
        answer = ask(state, f"{texts} ({_where(rule)})")
        if isinstance(answer, Truth):
            return [_Step(ALWAYS, entered, bound.to)] if answer is Truth.YES else Truth.NO
        steps = []
        for one in split((answer,), state):
            if one.matches:
                steps.append(_Step(one.share, memory.entered(table, update, one.state, bound.to), bound.to))
            else:
                steps.append(_Step(one.share, one.state, bound.to, Flow.CONTINUE, False))
        return steps

    def _reject(self, table: Table, rule: Rule, reject: Reject, state: PacketState, bound: Bound) -> Sequence[_Step]:
        return [_Step(ALWAYS, state, bound.to, Verdict.REJECT)]

    def _notrack(
        self, table: Table, rule: Rule, statement: Notrack, state: PacketState, bound: Bound
    ) -> Sequence[_Step]:
        if state.tracking is Tracking.NOT_YET:
            state = state._replace(tracking=Tracking.UNTRACKED)
        return [_Step(ALWAYS, state, bound.to)]

    def _idle(self, table: Table, rule: Rule, statement: Statement, state: PacketState, bound: Bound) -> Truth:
        return Truth.YES

    def _xtables(
        self, table: Table, rule: Rule, given: Xtables, state: PacketState, bound: Bound
    ) -> Truth | Question | Sequence[_Step]:
        if given.name in _IDLE_XTABLES or given.kind == "watcher":
            return Truth.YES
        if given.kind == "match":
            return ask(state, f"{statement_text(given)} ({_where(rule)})")
        reason = f"what target {given.name} does, of which nft shows no more than its name"
        return [_Step(ALWAYS, state, bound.to, Verdict.UNKNOWN, True, reason)]


# They write logs, touch headers that rules seldom test, or are comments.
_IDLE_XTABLES = frozenset({"comment", "CHECKSUM", "LOG", "NFLOG", "TCPMSS", "TRACE", "TEE"})

_EFFECTS: dict[type, Callable[..., Any]] = {
    Sentence: Evaluator._sentence,
    VerdictMap: Evaluator._verdict_map,
    Nat: Evaluator._nat,
    Mangle: Evaluator._mangle,
    SetUpdate: Evaluator._set_update,
    Reject: Evaluator._reject,
    Notrack: Evaluator._notrack,
    Counter: Evaluator._idle,
    Log: Evaluator._idle,
    FlowOffload: Evaluator._idle,
    Xtables: Evaluator._xtables,
}

# What leaves a packet where it is bound for, and may change what rules have made of it.
_CHANGING = (Mangle, Counter, Log, Notrack, FlowOffload)


def _failed(found: Found, bound: Bound) -> _Step:
    return _Step(found.share, found.state, bound.to, Flow.CONTINUE, False)


def _answered(place: _Place, ways: list[Way]) -> list[_Place]:
    """Both ways on from what was asked so far, before the packet is changed."""
    going = []
    for branch in split(place.questions, place.state):
        share = product(place.share, branch.share)
        if branch.matches:
            going.append(_Place(share, branch.state, place.to, place.next, ()))
        elif share:
            ways.append(Way(share, Flow.CONTINUE, branch.state, place.to, False))
    return going


def _taken(place: _Place, steps: Sequence[_Step], ways: list[Way]) -> list[_Place]:
    going = []
    for step in steps:
        share = product(place.share, step.share)
        if not share:
            continue
        if step.then is None:
            going.append(_Place(share, step.state, step.to, place.next + 1, ()))
        else:
            ways.append(Way(share, step.then, step.state, step.to, step.matched, step.reason))
    return going


def _where(rule: Rule) -> str:
    """Which rule it is: by its line, or in JSON, which has none, by its handle."""
    if rule.source_text is None and rule.handle is not None:
        return f"handle {rule.handle}"
    return f"line {rule.line}"


def _looks_at_heading(statement: Statement) -> bool:
    if isinstance(statement, Match):
        return looks_at_heading(statement.left)
    if isinstance(statement, VerdictMap):
        return looks_at_heading(statement.key)
    if isinstance(statement, Nat):
        return statement.kind in (NatKind.DNAT, NatKind.REDIRECT)
    if isinstance(statement, SetUpdate):
        return looks_at_heading(statement.key)
    if isinstance(statement, Mangle):
        return not isinstance(statement.target, Meta) or (
            not isinstance(statement.value, (int, str)) and _varies(statement.value)
        )
    return False


def _varies(value: Expression) -> bool:
    if isinstance(value, (SetLiteral, Concatenation)):
        return True
    key = getattr(value, "key", value)
    return not isinstance(key, str) and looks_at_heading(key)
