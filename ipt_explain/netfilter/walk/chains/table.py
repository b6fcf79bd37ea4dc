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

from ipt_explain.model import Chain, Extent, Shape, Table
from ipt_explain.netfilter.condition import Branch
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, product, products
from ipt_explain.netfilter.targets import (
    Flow,
    Verdict,
    changes_nothing,
)
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.batch import Batch
from ipt_explain.netfilter.walk.chains.callees import chains_of, goes
from ipt_explain.netfilter.walk.chains.chain_index import ChainIndexes
from ipt_explain.netfilter.walk.chains.effects import Effects, TableEffect
from ipt_explain.netfilter.walk.chains.evaluator import Crowd, Evaluator, Rows
from ipt_explain.netfilter.walk.chains.frontier import Budget, Frontier
from ipt_explain.netfilter.walk.chains.search import Spread
from ipt_explain.netfilter.walk.chains.visit import Call, End, Ended, Ground, Passage, Portion, Trail, Visit
from ipt_explain.netfilter.walk.chains.weights import spread_weights
from ipt_explain.netfilter.walk.columns import picked
from ipt_explain.records import dataclass

TOO_MUCH = "too many different packets to follow each"
LOOP = "a loop of jumps"


Key = tuple[Ground, PacketState, Sequence[int]]
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
        self._effects = Effects(table.name, fragment, indexes.destinations)
        self._visits: dict[Key, Visit] = {}
        self._finished: list[Visit] = []
        self._open: list[Ground] = []
        self._entry: Chain | None = None

    def arrivals(self, chain: str, entering: Iterable[tuple[PacketState, Sequence[int]]]) -> list[Arrival]:
        """Where packets end that enter a chain from a hook in these states; of each, its number in the crowd."""
        roots = []
        self._entry = self._table.chains[chain]
        for state, who in entering:
            root = self._finished_visit((self._entry, state, who))
            root.weights = ALWAYS
            roots.append(root)
        spread_weights(self._finished)
        arrivals = [
            self._arrival(ended.end, visit, ended.rows, ended.share, ended.to, ended.via)
            for visit in self._finished
            for ended in visit.ended
        ]
        for root in roots:
            arrivals.extend(self._at_the_end(root))
        return arrivals

    def _at_the_end(self, root: Visit) -> Iterable[Arrival]:
        """What comes back from the chain that was entered meets its policy, if it has one."""
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
            to = picked(visit.crowd.to, numbers)
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
        self._open.append(ground)
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
        """Behind the last rule that is shown, packets come back; unknown where more rules may follow, but for the chain
        that was entered: its caller knows better.
        """
        for chain in chains_of(visit.ground):
            if not self._returns(chain):
                break
        else:
            visit.returned.append(portion)
            return
        groups: dict[bool, list[int]] = {}
        for row in portion.numbers(len(visit.who)):
            groups.setdefault(self._returns(visit.chain(row)), []).append(row)
        for whole, rows in groups.items():
            some = portion.at(rows)
            if whole:
                visit.returned.append(some)
                continue
            reason = f"the rules of chain {visit.chain(rows[0]).name} that this input does not show"
            end = End(Verdict.UNKNOWN, portion.state, reason)
            visit.ended.append(Ended(end, some.rows, some.share, some.via))

    def _returns(self, chain: Chain) -> bool:
        """Whether packets come back from behind the last rule that is shown. Those that a hook's policy accepts are
        supposed to.
        """
        if chain.extent in (Extent.WHOLE, Extent.END):
            return True
        return chain is self._entry and chain.policy != "DROP"

    def _looping(self, ground: Ground) -> Chain | None:
        """A chain of these that is being looked at already."""
        chains = chains_of(ground)
        for opened in map(chains_of, self._open):
            if opened[0].layout is chains[0].layout:
                among = frozenset(opened)
                found = next((chain for chain in chains if chain in among), None)
                if found is not None:
                    return found
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
        for group in self._indexes.jumps.by_callee(names, self._table, batch.shape):
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
                    self._back(visit, frontier, own, at, callee, back, goes(batch.shape))

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
        shape = frontier.search.layout.shapes[places[0]]
        assert shape.target is not None and shape.target.slot is not None
        names: list[str] = []
        for place in spread.places:
            column = frontier.search.batch(place, portion.rows).column(shape.target.slot)
            names += [column] * len(numbers) if isinstance(column, str) else column
        for group in self._indexes.jumps.by_callee(names, self._table, shape):
            own = range(len(origin)) if group.rows is None else group.rows
            if group.ground is None or goes(shape) or self._looping(group.ground):
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
        for effect, part, to in self._effects.of(visit, portion, batch):
            own, at = portion.of(part), place if part is None else _chosen(place, part)
            for share, after in effect.states:
                self._after(visit, frontier, own.share_of(share), at, batch.shape, effect, after, to)

    def _after(
        self, visit: Visit, frontier: Frontier, portion: Portion, place: int | Sequence[int], shape: Shape,
        effect: TableEffect, after: PacketState, to: Sequence[Heading] | None,
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

    def _end(
        self, visit: Visit, portion: Portion, place: int | Sequence[int], end: End, to: Sequence[Heading] | None = None
    ) -> None:
        trail = Trail(portion.via, _places(portion.rows, place), portion.state, end.state)
        visit.ended.append(Ended(end, portion.rows, portion.share, trail, to))

def _chosen(place: int | Sequence[int], rows: Sequence[int]) -> int | Sequence[int]:
    return place if isinstance(place, int) else [place[row] for row in rows]


def _places(rows: Rows, place: int | Sequence[int]) -> int | dict[int, int]:
    """The places of a trail, by row of the visit."""
    if isinstance(place, int):
        return place
    return dict(enumerate(place)) if rows is None else dict(zip(rows, place))
