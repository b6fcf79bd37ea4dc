"""What a base chain of nftables, and the chains that it leads to, do with a crowd of packets: every end, each with its
share.

Packets that are in one state, at one rule, reached by the same jumps, go on together; a rule that does not look at
where they are bound for is asked once for all of them. Places are taken in the order of the rules, so that portions
which have become alike join. Nothing recurses on the depth of jumps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from ipt_explain.model.nft import Chain, Rule
from ipt_explain.netfilter.nft import Evaluator, Leap, Stage, Way
from ipt_explain.netfilter.packet import Bound, Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, product, total
from ipt_explain.netfilter.targets import Flow, Verdict
from ipt_explain.netfilter.walk.backends.nft_path import Link, NftLeg
from ipt_explain.netfilter.walk.chains.frontier import Budget
from ipt_explain.netfilter.walk.chains.table import LOOP, TOO_MUCH
from ipt_explain.netfilter.walk.chains.visit import End
from ipt_explain.netfilter.walk.flock import Entered, Flock
from ipt_explain.records import dataclass

MOST_JUMPS = 128
"""The kernel loads no chains that jump deeper than 16 (NFT_JUMP_STACK_SIZE); gotos count here, too."""

_COST_OF_A_RULE = 20

Rows = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Packets that have met an end. `rows` are their numbers among all that entered; `share` is of each of them; `to`
    is where each is bound for from now on."""

    end: End
    rows: Rows
    share: Probability
    to: Sequence[Heading]
    via: Link | None
    by_policy: bool


class _Portion(NamedTuple):
    """A share of some packets in one state, and what they met last."""

    state: PacketState
    rows: Rows
    to: tuple[Heading, ...]
    share: Probability
    via: Link | None


class _Frame:
    """A place in a chain. `order` sorts places as they are met; `back` is where a return leads."""

    __slots__ = ("back", "chain", "depth", "order", "place")

    def __init__(self, chain: Chain, place: int, back: _Frame | None, order: tuple[int | str, ...], depth: int) -> None:
        self.chain = chain
        self.place = place
        self.back = back
        self.order = order
        self.depth = depth

    def behind(self) -> _Frame:
        """The next rule of the chain."""
        return _Frame(self.chain, self.place + 1, self.back, (*self.order[:-1], self.place + 1), self.depth)

    def into(self, chain: Chain, goto: bool) -> _Frame:
        """The first rule of a chain that the rule here leads to."""
        back = self.back if goto else self.behind()
        return _Frame(chain, 0, back, (*self.order, chain.name, 0), self.depth + 1)


class ChainWalk:
    """One walk of a crowd from one base chain. `sent` is where each packet of the journey was sent to."""

    def __init__(
        self, stage: Stage, entered: Entered, sent: Sequence[Heading], evaluator: Evaluator, budget: Budget
    ) -> None:
        self.arrivals: list[Arrival] = []
        self._stage = stage
        self._table = stage.table
        self._entered = entered
        self._sent = [sent[number] for number in entered.who]
        self._evaluator = evaluator
        self._budget = budget
        self._order: list[tuple[int | str, ...]] = []
        self._waiting: dict[tuple[int | str, ...], tuple[_Frame, dict[tuple[object, ...], _Portion]]] = {}

    def run(self, entering: Iterable[tuple[PacketState, Sequence[int]]]) -> list[Arrival]:
        """Where packets end that enter the base chain in these states; of each, its number among all."""
        start = _Frame(self._stage.chain, 0, None, (0,), 0)
        for state, rows in entering:
            to = tuple([self._entered.to[row] for row in rows])
            self._wait(start, _Portion(state, tuple(rows), to, ALWAYS, None))
        while self._order:
            frame, portions = self._waiting.pop(heappop(self._order))
            for portion in portions.values():
                self._meet(frame, portion)
        return self.arrivals

    def _wait(self, frame: _Frame | None, portion: _Portion) -> None:
        while frame is not None and frame.place == len(frame.chain.rules):
            frame = frame.back
        if frame is None:
            self._meet_policy(portion)
            return
        held = self._waiting.get(frame.order)
        if held is None:
            held = self._waiting[frame.order] = (frame, {})
            heappush(self._order, frame.order)
        key = (portion.state, portion.rows, portion.to)
        other = held[1].get(key)
        if other is not None:
            via = portion.via if portion.share > other.share else other.via
            portion = portion._replace(share=total(portion.share, other.share), via=via)
        held[1][key] = portion

    def _meet_policy(self, portion: _Portion) -> None:
        via = portion.via
        if self._stage.drops:
            via = Link(via, 0, self._stage.chain, None, portion.state, portion.state)
        end = End(Verdict.DROP if self._stage.drops else Verdict.ACCEPT, portion.state)
        self.arrivals.append(Arrival(end, portion.rows, portion.share, portion.to, via, True))

    def _meet(self, frame: _Frame, portion: _Portion) -> None:
        """Packets meet a rule."""
        if self._budget.left <= 0:
            self._end(portion, Verdict.UNKNOWN, TOO_MUCH)
            return
        rule = frame.chain.rules[frame.place]
        for ways, part in self._answers(rule, portion):
            for number, way in enumerate(ways[0]):
                to = part.to
                if len(ways) == len(to):
                    to = tuple([own[number].to for own in ways])
                share = part.share if way.share is ALWAYS else product(part.share, way.share)
                going = _Portion(way.state, part.rows, to, share, part.via)
                self._go(frame, rule, way, portion.state, going)

    def _answers(self, rule: Rule, portion: _Portion) -> Iterable[tuple[list[tuple[Way, ...]], _Portion]]:
        """The ways on, one for all packets or one each, with the packets that share all of them but where they are
        bound for."""
        ask, table, line = self._evaluator.ways, self._table, rule.line
        sent = self._sent
        if len(portion.rows) == 1 or not self._evaluator.asks_where_to(rule):
            self._budget.left -= _COST_OF_A_RULE
            yield [ask(table, rule, portion.state, Bound(portion.to[0], sent[portion.rows[0]], line))], portion
            return
        missing, portion = self._apart(rule, portion)
        if missing is not None:
            self._budget.left -= _COST_OF_A_RULE
            yield [(Way(ALWAYS, Flow.CONTINUE, missing.state, missing.to[0], False),)], missing
        known: dict[tuple[Heading, Heading], tuple[Way, ...]] = {}
        alike: dict[tuple[object, ...], list[int]] = {}
        answers = []
        for number, (row, to) in enumerate(zip(portion.rows, portion.to)):
            place = (to, sent[row])
            ways = known.get(place)
            if ways is None:
                self._budget.left -= _COST_OF_A_RULE
                ways = known[place] = ask(table, rule, portion.state, Bound(to, sent[row], line))
            answers.append(ways)
            key = tuple([(way.share, way.then, way.state, way.matched, way.reason) for way in ways])
            alike.setdefault(key, []).append(number)
        if len(alike) < 2:
            if answers:
                yield answers, portion
            return
        for numbers in alike.values():
            rows = tuple([portion.rows[number] for number in numbers])
            to_of = tuple([portion.to[number] for number in numbers])
            yield [answers[number] for number in numbers], portion._replace(rows=rows, to=to_of)

    def _apart(self, rule: Rule, portion: _Portion) -> tuple[_Portion | None, _Portion]:
        """The packets that the rule cannot match by their destination, if any, and the others."""
        meant = self._evaluator.destinations(self._table, rule)
        if meant is None:
            return None, portion
        missed = list(map(meant.miss, portion.to))
        if not any(missed):
            return None, portion
        if all(missed):
            return portion, portion._replace(rows=(), to=())
        return _picked(portion, missed, True), _picked(portion, missed, False)

    def _go(self, frame: _Frame, rule: Rule, way: Way, before: PacketState, going: _Portion) -> None:
        then = way.then
        if then is Flow.CONTINUE:
            if way.matched and _tells(before, way.state):
                going = going._replace(via=Link(going.via, frame.depth, frame.chain, rule, before, way.state))
            self._wait(frame.behind(), going)
            return
        verdict = then if isinstance(then, Verdict) else None
        into = self._table.chains.get(then.chain) if isinstance(then, Leap) else None
        link = Link(going.via, frame.depth, frame.chain, rule, before, way.state, into, verdict)
        going = _Portion(going.state, going.rows, going.to, going.share, link)
        if isinstance(then, Verdict):
            self._end(going, then, way.reason)
        elif then is Flow.RETURN:
            self._wait(frame.back, going)
        elif isinstance(then, Leap):
            if into is None:
                self._end(going, Verdict.UNKNOWN, f"chain {then.chain}, which this input does not show")
            elif frame.depth >= MOST_JUMPS:
                self._end(going, Verdict.UNKNOWN, f"{LOOP} that comes back to chain {into.name}")
            else:
                self._wait(frame.into(into, then.goto), going)

    def _end(self, portion: _Portion, verdict: Verdict, reason: str) -> None:
        end = End(verdict, portion.state, reason)
        self.arrivals.append(Arrival(end, portion.rows, portion.share, portion.to, portion.via, False))

    def flock(self, arrival: Arrival) -> Flock:
        """The packets of an arrival, on their way to the next stage."""
        entered, share = self._entered, arrival.share
        who = [entered.who[row] for row in arrival.rows]
        shares = [product(entered.shares[row], share) for row in arrival.rows]
        return Flock(who, arrival.to, shares, _FromChain(self, arrival))

    def leg(self, arrival: Arrival, place: int) -> NftLeg:
        """How one of an arrival's packets came through."""
        row = arrival.rows[place]
        bound = Bound(self._entered.to[row], self._sent[row])
        return NftLeg(self._table, arrival.via, bound, arrival.to[place], arrival.by_policy)

    def before(self, row: int) -> tuple[Flock, int]:
        """Where a packet stood when it entered."""
        return self._entered.before(row)


class _FromChain:
    """Where a flock comes from: an arrival of a walk."""

    __slots__ = ("_arrival", "_walk")

    def __init__(self, walk: ChainWalk, arrival: Arrival) -> None:
        self._walk = walk
        self._arrival = arrival

    def leg(self, row: int) -> NftLeg:
        return self._walk.leg(self._arrival, row)

    def before(self, row: int) -> tuple[Flock, int]:
        return self._walk.before(self._arrival.rows[row])


def _picked(portion: _Portion, missed: Sequence[bool], wanted: bool) -> _Portion:
    places = [place for place, each in enumerate(missed) if each is wanted]
    return portion._replace(
        rows=tuple([portion.rows[place] for place in places]), to=tuple([portion.to[place] for place in places])
    )


def _tells(before: PacketState, after: PacketState) -> bool:
    """Whether a rule that lets packets go on has made something of them."""
    return after is not before and after._replace(answers=before.answers) != before
