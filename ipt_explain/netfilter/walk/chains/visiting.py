"""One visit of a table's walk: what the rules of a chain do with the packets that entered it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

from ipt_explain.model import Chain, Extent, Shape, Table
from ipt_explain.netfilter.condition import Branch
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, product
from ipt_explain.netfilter.targets import Flow, Verdict, changes_nothing
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.chains.callees import Fan, Jumps, chains_of, goes
from ipt_explain.netfilter.walk.chains.effects import Effects, TableEffect
from ipt_explain.netfilter.walk.chains.evaluator import Rows
from ipt_explain.netfilter.walk.chains.frontier import Frontier
from ipt_explain.netfilter.walk.chains.search import SpreadPortion
from ipt_explain.netfilter.walk.chains.visit import Call, End, Ended, Ground, Passage, Portion, Trail, Visit
from ipt_explain.netfilter.walk.columns import Batch, picked, rows_left

TOO_MUCH = "too many different packets to follow each"
LOOP = "a loop of jumps"

Key = tuple[Ground, PacketState, Sequence[int]]
Walk = Generator[Key, Visit, None]
Places = int | Sequence[int]
"""The place of a rule in its chain, one for all rows or one a row."""


class Visiting:
    """A visit under way. `entry` is the chain that the hook calls. `looping` finds, for a jump, the rows whose packet
    is already in the chain that it would enter."""

    def __init__(
        self,
        visit: Visit,
        frontier: Frontier,
        table: Table,
        jumps: Jumps,
        effects: Effects,
        entry: Chain | None,
        looping: Callable[[Ground, Sequence[int]], Sequence[int]],
    ) -> None:
        self._visit = visit
        self._frontier = frontier
        self._table = table
        self._jumps = jumps
        self._effects = effects
        self._entry = entry
        self._looping = looping

    def walk(self) -> Walk:
        """Take the crowd through the visit's chains, rule by rule. Yields the keys of visits to callees, and is sent
        these visits."""
        visit, frontier = self._visit, self._frontier
        frontier.add(Portion(visit.state, None, ALWAYS, None), 0)
        while (found := frontier.pop()) is not None:
            if isinstance(found, SpreadPortion):
                yield from self._fanned_out(found)
                continue
            portion, place = found.portion, found.place
            if place == frontier.search.end:
                self._come_to_the_end(portion)
                continue
            outcome = found.outcome
            branches = (Branch(ALWAYS, outcome is Truth.YES, portion.state),) if isinstance(outcome, Truth) else outcome
            for branch in branches:
                share = product(portion.share, branch.share)
                if not share:
                    continue
                part = Portion(branch.state, portion.rows, share, portion.via)
                if branch.matches:
                    yield from self._matched(part, place)
                else:
                    frontier.behind(part, place)
        for portion in frontier.given_up:
            end = End(Verdict.UNKNOWN, visit.state, TOO_MUCH)
            visit.ended.append(Ended(end, portion.rows, portion.share, portion.via))

    def _come_to_the_end(self, portion: Portion) -> None:
        """Return a portion that has passed the last rule shown. If a chain may have more rules, its rows end as
        unknown."""
        for chain in chains_of(self._visit.ground):
            if not self._returns(chain):
                break
        else:
            self._visit.returned.append(portion)
            return
        groups: dict[bool, list[int]] = {}
        for row in portion.numbers(len(self._visit.who)):
            groups.setdefault(self._returns(self._visit.chain(row)), []).append(row)
        for whole, rows in groups.items():
            some = portion.at(rows)
            if whole:
                self._visit.returned.append(some)
                continue
            reason = f"the rules of chain {self._visit.chain(rows[0]).name} that this input does not show"
            end = End(Verdict.UNKNOWN, portion.state, reason)
            self._visit.ended.append(Ended(end, some.rows, some.share, some.via))

    def _returns(self, chain: Chain) -> bool:
        """Whether packets return after the last rule shown. In the chain that the hook calls, they are assumed to
        unless its policy is DROP."""
        if chain.extent in (Extent.WHOLE, Extent.END):
            return True
        return chain is self._entry and chain.policy != "DROP"

    # What rules do.

    def _matched(self, portion: Portion, place: Places) -> Walk:
        """Apply the target of matching rules to a portion."""
        batch = self._frontier.search.batch(place, portion.rows)
        target = batch.shape.target
        names = "" if target is None or target.slot is None else batch.column(target.slot)
        if not names:
            self._affected(portion, place, batch)
            return
        for group in self._jumps.by_callee(names, self._table, batch.shape):
            own, at = portion.of(group.rows), place if group.rows is None else _chosen(place, group.rows)
            ground = group.ground
            if ground is None:
                some = batch if group.rows is None else batch.take(group.rows)
                self._affected(own, at, some)
                continue
            who = self._visit.who_of(own.rows)
            if looping := self._looping(ground, who):
                self._loop(own, at, ground, looping)
                left = rows_left(len(who), [tuple(looping)])
                if not left:
                    continue
                own, at, who = own.of(left), _chosen(at, left), tuple(picked(who, left))
                ground = ground if isinstance(ground, Chain) else ground.part(left)
            callee = yield ground, own.state, who
            call = Call(self._visit, own.rows, own.share, at, own.via, own.state)
            self._visit.calls.append((callee, call))
            for back in callee.returned:
                self._back(own, at, callee, back, goes(batch.shape))

    def _loop(self, portion: Portion, place: Places, ground: Ground, looping: Sequence[int]) -> None:
        """End the rows that jump to a chain that they are already in."""
        rows_of: dict[Chain, list[int]] = {}
        for row in looping:
            rows_of.setdefault(ground if isinstance(ground, Chain) else ground[row], []).append(row)
        for chain, rows in rows_of.items():
            end = End(Verdict.UNKNOWN, portion.state, f"{LOOP} that comes back to chain {chain.name}")
            self._end(portion.of(tuple(rows)), _chosen(place, rows), end)

    def _back(
        self,
        portion: Portion,
        place: Places,
        callee: Visit,
        back: Portion,
        goto: bool,
    ) -> None:
        """Continue with a portion that returns from a callee: after the rule, or, after a goto, in this chain's
        caller."""
        rows = portion.rows
        after = portion.of(back.rows)
        inside = Passage(callee, back.via, None if rows is None else {row: number for number, row in enumerate(rows)})
        at = place if back.rows is None else _chosen(place, back.rows)
        link = Trail(portion.via, _places(after.rows, at), portion.state, back.state, inside)
        going = Portion(back.state, after.rows, product(portion.share, back.share), link)
        if goto:
            self._visit.returned.append(going)
        else:
            self._frontier.behind(going, at)

    def _fanned_out(self, spread: SpreadPortion) -> Walk:
        """Send the packets that a run of rules spreads to the run's chains, all at once."""
        portion = spread.portion
        for fan in self._fans(spread):
            rows, places = fan.rows, fan.places
            shares = list(map(spread.shares.__getitem__, fan.turns))
            who = self._visit.who_of(rows)
            if fan.ground is None or self._looping(fan.ground, who):
                for row, place, share in zip(rows, places, shares):
                    yield from self._matched(Portion(portion.state, (row,), share, portion.via), place)
                continue
            callee = yield fan.ground, portion.state, who
            call = Call(self._visit, rows, shares, places, portion.via, portion.state)
            self._visit.calls.append((callee, call))
            for back in callee.returned:
                self._back_from_many(portion, callee, back, rows, places, shares)

    def _fans(self, spread: SpreadPortion) -> Sequence[Fan]:
        """Where the rules of a run send the rows. If all rows of the chains meet it, the result is kept."""
        ground, rows, fans = self._visit.ground, spread.portion.rows, self._jumps.fans
        key = None if rows is not None or isinstance(ground, Chain) else (ground, tuple(spread.places))
        if key is not None and key in fans:
            return fans[key]
        numbers = spread.portion.numbers(len(self._visit.who))
        found = list(self._jumps.fanned(ground, spread.places, numbers, self._table))
        if key is not None:
            fans[key] = found
        return found

    def _back_from_many(
        self,
        portion: Portion,
        callee: Visit,
        back: Portion,
        rows: Sequence[int],
        places: Sequence[int],
        shares: Sequence[Probability],
    ) -> None:
        """Continue with a portion that returns from the chains of a run, place by place."""
        by_place: dict[int, list[int]] = {}
        for number in back.numbers(len(rows)):
            by_place.setdefault(places[number], []).append(number)
        for place, numbers in by_place.items():
            own = tuple([rows[number] for number in numbers])
            inside = Passage(callee, back.via, dict(zip(own, numbers)))
            link = Trail(portion.via, place, portion.state, back.state, inside)
            self._frontier.behind(Portion(back.state, own, product(shares[numbers[0]], back.share), link), place)

    def _affected(self, portion: Portion, place: Places, batch: Batch) -> None:
        """Apply a target other than a jump."""
        for effect, part, to in self._effects.of(self._visit, portion, batch):
            own, at = portion.of(part), place if part is None else _chosen(place, part)
            for share, after in effect.states:
                self._after(own.share_of(share), at, batch.shape, effect, after, to)

    def _after(
        self,
        portion: Portion,
        place: Places,
        shape: Shape,
        effect: TableEffect,
        after: PacketState,
        to: Sequence[Heading] | None,
    ) -> None:
        if isinstance(effect.then, Verdict):
            self._end(portion, place, End(effect.then, after, effect.reason), to)
            return
        link = portion.via
        if not changes_nothing(shape):
            link = Trail(portion.via, _places(portion.rows, place), portion.state, after)
        going = Portion(after, portion.rows, portion.share, link)
        if effect.then is Flow.RETURN:
            self._visit.returned.append(going)
        else:
            self._frontier.behind(going, place)

    def _end(self, portion: Portion, place: Places, end: End, to: Sequence[Heading] | None = None) -> None:
        trail = Trail(portion.via, _places(portion.rows, place), portion.state, end.state)
        self._visit.ended.append(Ended(end, portion.rows, portion.share, trail, to))


def _chosen(place: Places, rows: Sequence[int]) -> Places:
    return place if isinstance(place, int) else [place[row] for row in rows]


def _places(rows: Rows, place: Places) -> int | dict[int, int]:
    """The places for a trail: one for all rows, or by row of the visit."""
    if isinstance(place, int):
        return place
    return dict(enumerate(place)) if rows is None else dict(zip(rows, place))
