"""What the chains of one table do with a crowd of packets: every end, each with its share, without following paths or
packets one by one.

A chain is looked at once for each state and crowd that enters it: a visit. It knows in which states packets come back,
and which ends they meet; shares are of the packets that enter. Visits are finished callees first, as a caller goes on
with what comes back; then shares flow down, callers first. So a diamond of jumps with 2^40 paths costs 40 visits, and
nothing is copied upwards but what returns. Nothing recurses on the depth of jumps. A chain that is entered while it is
being looked at is a loop: it is cut there, and named.

Packets that jump to chains of one layout enter them together: ten thousand balancers, and the hundred thousand chains
of their endpoints, cost some dozens of visits.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from operator import ne
from typing import cast

from ipt_explain.model import Chain, Extent, Hidden, Layout, Shape, Table, TargetKind
from ipt_explain.netfilter.condition import Branch, Column
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, product, products, total
from ipt_explain.netfilter.targets import (
    Effect,
    Flow,
    Verdict,
    changes_nothing,
    effect_of,
    is_verdict,
    rewrites_destination,
)
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.batch import Batch
from ipt_explain.netfilter.walk.chain_index import ChainIndexes
from ipt_explain.netfilter.walk.evaluator import Crowd, Evaluator, Rows
from ipt_explain.netfilter.walk.frontier import Budget, Frontier
from ipt_explain.netfilter.walk.search import Spread
from ipt_explain.netfilter.walk.visit import Call, End, Ended, Ground, Passage, Portion, Trail, Visit
from ipt_explain.records import dataclass

TOO_MUCH = "too many different packets to follow each"
LOOP = "a loop of jumps"

_BUILT_IN = frozenset(hook.value for hook in Hook)

Key = tuple[Ground, PacketState, tuple[int, ...]]
Walk = Generator[Key, Visit, None]


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Rows of a visit that have met an end, or the end of the built-in chain and so its policy. `shares` are of the
    packets that entered the table, one for all or one a row; `to` is where each is bound for from now on.
    """

    end: End
    visit: Visit
    rows: Sequence[int]
    shares: Probability | Sequence[Probability]
    to: Sequence[Heading]
    via: Trail | None
    by_policy: bool = False


class TableWalk:
    """One walk through one table by one crowd. Chains that it lacks are unknown where `fragment`, else they are not the
    kernel's.
    """

    def __init__(
        self, table: Table, crowd: Crowd, evaluator: Evaluator, indexes: ChainIndexes, budget: Budget, fragment: bool
    ) -> None:
        self._table = table
        self._crowd = crowd
        self._evaluator = evaluator
        self._indexes = indexes
        self._budget = budget
        self._fragment = fragment
        self._visits: dict[Key, Visit] = {}
        self._finished: list[Visit] = []
        self._open: list[frozenset[Chain]] = []

    def arrivals(self, chain: str, entering: Iterable[tuple[PacketState, Sequence[int]]]) -> list[Arrival]:
        """Where packets end that enter a built-in chain in these states; of each, its number in the crowd."""
        roots = []
        for state, who in entering:
            root = self._finished_visit((self._table.chains[chain], state, tuple(who)))
            root.weights = ALWAYS
            roots.append(root)
        self._spread_weights()
        arrivals = [
            self._arrival(ended.end, visit, ended.rows, ended.share, ended.to, ended.via)
            for visit in self._finished
            for ended in visit.ended
        ]
        for root in roots:
            arrivals.extend(self._at_the_end(root))
        return arrivals

    def _at_the_end(self, root: Visit) -> Iterable[Arrival]:
        """What comes back from the built-in chain meets its policy."""
        ground = root.ground
        assert isinstance(ground, Chain)
        dropped = ground.policy == "DROP"
        for portion in root.returned:
            trail = Trail(portion.via, None, portion.state, portion.state) if dropped else portion.via
            end = End(Verdict.DROP if dropped else Verdict.ACCEPT, portion.state)
            yield self._arrival(end, root, portion.rows, portion.share, None, trail, by_policy=True)

    def _arrival(
        self, end: End, visit: Visit, rows: Rows, share: Probability, to: Sequence[Heading] | None, via: Trail | None,
        by_policy: bool = False,
    ) -> Arrival:  # fmt: skip
        numbers = range(len(visit.who)) if rows is None else rows
        weights = visit.weights
        shares: Probability | Sequence[Probability]
        if isinstance(weights, list):
            own = weights if rows is None else [weights[row] for row in rows]
            shares = own if share is ALWAYS else products(own, [share] * len(own))
        else:
            shares = product(weights, share)
        if to is None:
            to = visit.crowd.to if rows is None else [visit.crowd.to[row] for row in rows]
        return Arrival(end, visit, numbers, shares, to, via, by_policy)

    def _finished_visit(self, key: Key) -> Visit:
        """The visit of a chain, finished; the chains that it calls are finished first, on a stack of our own."""
        stack = [self._opened(key)]
        answer: Visit | None = None
        while True:
            asking, visit, walk = stack[-1]
            try:
                wanted = walk.send(answer) if answer is not None else next(walk)
            except StopIteration:
                stack.pop()
                self._open.pop()
                self._visits[asking] = visit
                self._finished.append(visit)
                if not stack:
                    return visit
                answer = visit
                continue
            answer = self._visits.get(wanted)
            if answer is None:
                stack.append(self._opened(wanted))

    def _opened(self, key: Key) -> tuple[Key, Visit, Walk]:
        ground, state, who = key
        self._open.append(frozenset(_chains(ground)))
        visit = Visit(self._table.name, ground, state, who, self._crowd.take(who))
        return key, visit, self._walk(visit)

    def _walk(self, visit: Visit) -> Walk:
        """Take a crowd through its chains, rule by rule. Asks for the visits of the chains that it jumps to."""
        frontier = Frontier(visit, self._evaluator, self._indexes, self._budget)
        frontier.add(Portion(visit.state, None, ALWAYS, None), 0)
        while (found := frontier.pop()) is not None:
            if isinstance(found, Spread):
                yield from self._fanned_out(visit, frontier, found)
                continue
            portion, place = found.portion, found.place
            if place == frontier.search.end:
                self._come_to_the_end(visit, portion)
                continue
            outcome = found.outcome
            branches = (Branch(ALWAYS, outcome is Truth.YES, portion.state),) if isinstance(outcome, Truth) else outcome
            for branch in branches:
                share = product(portion.share, branch.share)
                if not share:
                    continue
                part = Portion(branch.state, portion.rows, share, portion.via)
                if branch.matches:
                    yield from self._matched(visit, frontier, part, place)
                else:
                    frontier.behind(part, place)
        for portion in frontier.given_up:
            end = End(Verdict.UNKNOWN, visit.state, TOO_MUCH)
            visit.ended.append(Ended(end, portion.rows, portion.share, portion.via))

    def _come_to_the_end(self, visit: Visit, portion: Portion) -> None:
        """Behind the last rule that is shown, packets come back; unknown where more rules may follow."""
        for chain in _chains(visit.ground):
            if chain.extent is not Extent.WHOLE and chain.name not in _BUILT_IN:
                break
        else:
            visit.returned.append(portion)
            return
        groups: dict[bool, list[int]] = {}
        for row in portion.numbers(len(visit.who)):
            groups.setdefault(visit.chain(row).extent is Extent.WHOLE, []).append(row)
        for whole, rows in groups.items():
            some = portion.at(rows)
            if whole:
                visit.returned.append(some)
                continue
            reason = f"the rules of chain {visit.chain(rows[0]).name} that this input does not show"
            end = End(Verdict.UNKNOWN, portion.state, reason)
            visit.ended.append(Ended(end, some.rows, some.share, some.via))

    def _looping(self, ground: Ground) -> Chain | None:
        """A chain of these that is being looked at already."""
        chains = _chains(ground)
        for opened in self._open:
            if not opened.isdisjoint(chains):
                return next(chain for chain in chains if chain in opened)
        return None

    # What rules do.

    def _matched(self, visit: Visit, frontier: Frontier, portion: Portion, place: int | Sequence[int]) -> Walk:
        """Apply the rules' target to packets that match them."""
        batch = frontier.search.batch(place, portion.rows)
        target = batch.shape.target
        names = "" if target is None or target.slot is None else batch.column(target.slot)
        if not names:
            self._affected(visit, frontier, portion, place, batch)
            return
        for group in _by_callee(names, self._table, batch.shape):
            own, at = portion.of(group.rows), place if group.rows is None else _chosen(place, group.rows)
            if group.ground is None:
                some = batch if group.rows is None else batch.take(group.rows)
                self._affected(visit, frontier, own, at, some)
            elif looping := self._looping(group.ground):
                reason = f"{LOOP} that comes back to chain {looping.name}"
                self._end(visit, own, at, End(Verdict.UNKNOWN, own.state, reason))
            else:
                callee = yield group.ground, own.state, visit.who_of(own.rows)
                visit.calls.append(Call(visit, callee, own.rows, own.share, at, own.via, own.state))
                for back in callee.returned:
                    self._back(visit, frontier, own, at, callee, back, _goes(batch.shape))

    def _back(
        self, visit: Visit, frontier: Frontier, portion: Portion, place: int | Sequence[int], callee: Visit,
        back: Portion, goto: bool,
    ) -> None:  # fmt: skip
        """Go on with what comes back from chains: behind the rule, or, after a goto, where this chain returns to."""
        rows = portion.rows
        after = portion.of(back.rows)
        inside = Passage(callee, back.via, None if rows is None else {row: number for number, row in enumerate(rows)})
        at = place if back.rows is None else _chosen(place, back.rows)
        link = Trail(portion.via, _places(after.rows, at), portion.state, back.state, inside)
        going = Portion(back.state, after.rows, product(portion.share, back.share), link)
        if goto:
            visit.returned.append(going)
        else:
            frontier.behind(going, at)

    def _fanned_out(self, visit: Visit, frontier: Frontier, spread: Spread) -> Walk:
        """Send packets to a chain each of a run's rules, all at once."""
        portion = spread.portion
        numbers = portion.numbers(len(visit.who))
        origin = list(numbers) * len(spread.places)
        places = [place for place in spread.places for _ in numbers]
        shares = [share for share in spread.shares for _ in numbers]
        ground = visit.ground
        chains = ground if isinstance(ground, Chain) else [ground[row] for row in origin]
        shape = frontier.search.layout.shapes[places[0]]
        assert shape.target is not None and shape.target.slot is not None
        names = Batch(shape, chains, places).column(shape.target.slot)
        for group in _by_callee(names, self._table, shape):
            own = range(len(origin)) if group.rows is None else group.rows
            if group.ground is None or _goes(shape) or self._looping(group.ground):
                for number in own:
                    one = Portion(portion.state, (origin[number],), shares[number], portion.via)
                    yield from self._matched(visit, frontier, one, places[number])
                continue
            rows, at = tuple([origin[number] for number in own]), [places[number] for number in own]
            parts = [shares[number] for number in own]
            callee = yield group.ground, portion.state, visit.who_of(rows)
            visit.calls.append(Call(visit, callee, rows, parts, at, portion.via, portion.state))
            for back in callee.returned:
                self._back_from_many(visit, frontier, portion, callee, back, rows, at, parts)

    def _back_from_many(
        self, visit: Visit, frontier: Frontier, portion: Portion, callee: Visit, back: Portion, rows: Sequence[int],
        places: Sequence[int], shares: Sequence[Probability],
    ) -> None:  # fmt: skip
        """Go on with what comes back from a run's chains, place by place."""
        by_place: dict[int, list[int]] = {}
        for number in back.numbers(len(rows)):
            by_place.setdefault(places[number], []).append(number)
        for place, numbers in by_place.items():
            own = tuple([rows[number] for number in numbers])
            inside = Passage(callee, back.via, dict(zip(own, numbers)))
            link = Trail(portion.via, place, portion.state, back.state, inside)
            frontier.behind(Portion(back.state, own, product(shares[numbers[0]], back.share), link), place)

    def _affected(
        self, visit: Visit, frontier: Frontier, portion: Portion, place: int | Sequence[int], batch: Batch
    ) -> None:
        """Apply a target that is no chain."""
        for effect, part, to in self._effects(visit, portion, batch):
            own, at = portion.of(part), place if part is None else _chosen(place, part)
            for share, after in effect.states:
                self._after(visit, frontier, own.share_of(share), at, batch.shape, effect, after, to)

    def _after(
        self, visit: Visit, frontier: Frontier, portion: Portion, place: int | Sequence[int], shape: Shape,
        effect: _Effect, after: PacketState, to: Sequence[Heading] | None,
    ) -> None:  # fmt: skip
        if isinstance(effect.then, Verdict):
            self._end(visit, portion, place, End(effect.then, after, effect.reason), to)
            return
        link = portion.via
        if not changes_nothing(shape):
            link = Trail(portion.via, _places(portion.rows, place), portion.state, after)
        going = Portion(after, portion.rows, portion.share, link)
        if effect.then is Flow.RETURN:
            visit.returned.append(going)
        else:
            frontier.behind(going, place)

    def _effects(
        self, visit: Visit, portion: Portion, batch: Batch
    ) -> Iterable[tuple[_Effect, Rows, Sequence[Heading] | None]]:
        """What the target does, for the rows that it does alike, and where those are bound for by it."""
        target = batch.shape.target
        crowd = visit.crowd_of(portion.rows)
        if target is not None and rewrites_destination(target.name) and Hidden.TARGET not in batch.shape.hidden:
            yield from self._rewritten(batch, portion.state, crowd)
            return
        slots = [] if target is None else [slot for option in target.options for slot in option.slots]
        if target is not None and target.slot is not None:
            slots.append(target.slot)
        lists = [column for column in map(batch.column, slots) if not isinstance(column, str)]
        if not lists:
            yield _without(self._effect(batch, portion.state, crowd, 0)), None, None
            return
        groups: dict[tuple[str, ...], list[int]] = {}
        for row, words in enumerate(zip(*lists)):
            groups.setdefault(words, []).append(row)
        for rows in groups.values():
            yield _without(self._effect(batch, portion.state, crowd, rows[0])), tuple(rows), None

    def _rewritten(
        self, batch: Batch, state: PacketState, crowd: Crowd
    ) -> Iterable[tuple[_Effect, Rows, Sequence[Heading] | None]]:
        """New destinations, one or more a row; rows that become alike together."""
        plain = self._plain_destinations(batch)
        if plain is not None and all(map(ne, plain, crowd.to)):
            after = state._replace(destination_decided=True, dnat=True)
            yield _Effect(Verdict.ACCEPT, ((ALWAYS, after),)), None, plain
            return
        groups: dict[_Effect, tuple[list[int], list[Heading]]] = {}
        for row in range(len(crowd)):
            effect = self._effect(batch, state, crowd, row)
            for share, after, to in effect.states:
                alike = _Effect(effect.then, ((share, after),), effect.reason)
                if alike not in groups:
                    groups[alike] = ([], [])
                rows, headings = groups[alike]
                if rows and rows[-1] == row:  # of random ports, each is as likely: they stay apart
                    yield alike, (row,), (to or crowd.to[row],)
                    continue
                rows.append(row)
                headings.append(to or crowd.to[row])
        for alike, (rows, headings) in groups.items():
            yield alike, None if len(rows) == len(crowd) else tuple(rows), headings

    def _plain_destinations(self, batch: Batch) -> Sequence[Heading] | None:
        """Where DNAT sends each row, if each is sent to one address and port."""
        target = batch.shape.target
        if target is None or target.name != "DNAT" or len(target.options) > 1:
            return None
        texts = batch.column(target.options[0].slots[0])
        if isinstance(texts, str):
            return None
        known = self._indexes.destinations
        headings = [known[text] for text in texts]
        return None if None in headings else cast("Sequence[Heading]", headings)

    def _effect(self, batch: Batch, state: PacketState, crowd: Crowd, row: int) -> Effect:
        rule = batch.rule(row)
        if Hidden.TARGET in batch.shape.hidden:
            reason = f"what the target of line {rule.line} does, which this input does not show"
            return Effect(Verdict.UNKNOWN, ((ALWAYS, state, None),), reason)
        try:
            effect = None if rule.is_goto else effect_of(rule, state, crowd.to[row])
        except (ValueError, IndexError):
            reason = f"what the unreadable target of line {rule.line} does"
            return Effect(Verdict.UNKNOWN, ((ALWAYS, state, None),), reason)
        if effect is None:
            return Effect(Verdict.UNKNOWN, ((ALWAYS, state, None),), self._unknown_target(rule.target or ""))
        return effect

    def _end(
        self, visit: Visit, portion: Portion, place: int | Sequence[int], end: End, to: Sequence[Heading] | None = None
    ) -> None:
        trail = Trail(portion.via, _places(portion.rows, place), portion.state, end.state)
        visit.ended.append(Ended(end, portion.rows, portion.share, trail, to))

    def _unknown_target(self, name: str) -> str:
        if self._fragment:
            return f"chain {name} of table {self._table.name}, which this input does not show"
        return f"what target {name} does"

    def _spread_weights(self) -> None:
        """Let every visit know how many packets enter it. Callers stand behind their callees in the order finished."""
        heaviest: dict[Visit, Probability] = {}
        for visit in reversed(self._finished):
            for call in visit.calls:
                weights = _weights(visit, call)
                callee = call.callee
                callee.weights = _added(callee.weights, weights)
                largest = weights[0] if isinstance(weights, list) else weights
                if callee.caller is None or largest > heaviest[callee]:
                    heaviest[callee] = largest
                    callee.caller = call


@dataclass(frozen=True, slots=True)
class _Effect:
    """What a target does, but for where packets are bound for."""

    then: Verdict | Flow
    states: tuple[tuple[Probability, PacketState], ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Rows that jump to chains of one layout, each to its own or all to one; without `ground`, to what is no chain."""

    ground: Ground | None
    rows: Rows


def _by_callee(names: Column, table: Table, shape: Shape) -> Iterable[_Group]:
    """Rows by the layout of the chain that they jump to."""
    chains = table.chains
    if isinstance(names, str) or len(set(names)) == 1:
        name = names if isinstance(names, str) else names[0]
        chain = name in chains and (_goes(shape) or not is_verdict(name))
        return (_Group(chains[name] if chain else None, None),)
    found = [chains.get(name) for name in names]
    layouts = [None if chain is None else chain.layout for chain in found]
    if None not in layouts and len(set(layouts)) == 1:
        return (_Group(cast("Ground", tuple(found)), None),)
    groups: dict[Layout | None, list[int]] = {}
    for row, layout in enumerate(layouts):
        groups.setdefault(layout, []).append(row)
    return [_grouped(found, rows) for rows in groups.values()]


def _grouped(found: Sequence[Chain | None], rows: Sequence[int]) -> _Group:
    chains = tuple([chain for chain in (found[row] for row in rows) if chain is not None])
    alike = len(set(chains)) == 1
    return _Group((chains[0] if alike else chains) if chains else None, tuple(rows))


def _without(effect: Effect) -> _Effect:
    return _Effect(effect.then, tuple((share, state) for share, state, _ in effect.states), effect.reason)


def _chains(ground: Ground) -> Sequence[Chain]:
    return (ground,) if isinstance(ground, Chain) else ground


def _goes(shape: Shape) -> bool:
    return shape.target is not None and shape.target.kind is TargetKind.GOTO


def _chosen(place: int | Sequence[int], rows: Sequence[int]) -> int | Sequence[int]:
    return place if isinstance(place, int) else [place[row] for row in rows]


def _places(rows: Rows, place: int | Sequence[int]) -> int | dict[int, int]:
    """The places of a trail, by row of the visit."""
    if isinstance(place, int):
        return place
    return dict(enumerate(place)) if rows is None else dict(zip(rows, place))


def _weights(visit: Visit, call: Call) -> Probability | list[Probability]:
    """The shares of packets that a call lets into a chain, one for all rows or one a row."""
    weights, shares, origin = visit.weights, call.shares, call.origin
    if isinstance(weights, list):
        own = weights if origin is None else [weights[row] for row in origin]
        if isinstance(shares, Sequence):
            return products(own, shares)
        return own if shares is ALWAYS else products(own, [shares] * len(own))
    if isinstance(shares, Sequence):
        return list(shares) if weights is ALWAYS else products([weights] * len(shares), shares)
    return product(weights, shares)


def _added(
    held: Probability | list[Probability], more: Probability | list[Probability]
) -> Probability | list[Probability]:
    if not isinstance(held, list) and not held:
        return more
    if not isinstance(held, list) and not isinstance(more, list):
        return total(held, more)
    count = len(held) if isinstance(held, list) else len(more) if isinstance(more, list) else 0
    one = held if isinstance(held, list) else [held] * count
    other = more if isinstance(more, list) else [more] * count
    return list(map(total, one, other))
