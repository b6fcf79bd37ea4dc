"""What the chains of one table do with a crowd of packets: how packets end and with which shares, without following
paths or packets one by one.

A chain is evaluated once for each state and crowd that enters it: a visit. The visit records the states in which
packets return, and how others end, as shares of what enters. Callees are finished before their callers, which continue
with what returns; then shares flow down, callers first. So a diamond of jumps with 2^40 paths costs 40 visits, and only
what returns is copied upwards. Nothing recurses on the depth of jumps. If packets enter a chain that they are already
in, the loop is cut there and named.

Packets that jump to chains of one layout enter them together: ten thousand balancers and the hundred thousand chains of
their endpoints cost a few dozen visits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat

from ipt_explain.model import Chain, Layout, Table
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, product, products, total
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.chains.callees import chains_of
from ipt_explain.netfilter.walk.chains.chain_index import ChainIndexes
from ipt_explain.netfilter.walk.chains.effects import Effects
from ipt_explain.netfilter.walk.chains.evaluator import Crowd, Evaluator, Rows
from ipt_explain.netfilter.walk.chains.frontier import Budget, Frontier
from ipt_explain.netfilter.walk.chains.visit import Call, End, Ground, Trail, Visit
from ipt_explain.netfilter.walk.chains.visiting import Key, Visiting, Walk
from ipt_explain.netfilter.walk.columns import picked
from ipt_explain.records import Record

_COST_OF_A_SEAT = 40
"""Of looking for one packet in a chain: ten thousand chains that jump to each other must come to an end."""


class Arrival(Record, eq=False):
    """Rows of a visit that have ended, or have reached the end of the built-in chain and so its policy.

    `shares` are shares of the packets that entered the table, one for all rows or one per row; `to` has each row's
    destination from now on.
    """

    end: End
    visit: Visit
    rows: Sequence[int]
    shares: Probability | Sequence[Probability]
    to: Sequence[Heading]
    via: Trail | None
    by_policy: bool = False

    @property
    def in_one_chain(self) -> bool:
        """Whether all rows are in the same chain."""
        return isinstance(self.visit.ground, Chain)

    @property
    def by_one_rule(self) -> bool:
        """Whether all rows met the same rule, or the policy, last."""
        via = self.via
        return self.in_one_chain and via is not None and (via.place is None or isinstance(via.place, int))


class _Open:
    """The chains of one layout with unfinished visits, and the packets in them.

    They are put into a set only when a chain of the same layout is entered meanwhile, and only once, however deep
    visits are nested.
    """

    def __init__(self) -> None:
        self._visits: list[tuple[Ground, Sequence[int]]] = []
        self._inside: set[tuple[Chain, int]] = set()
        self._gathered = 0

    def __bool__(self) -> bool:
        return bool(self._visits)

    def enter(self, ground: Ground, who: Sequence[int]) -> None:
        """Note the packets of a visit that begins."""
        self._visits.append((ground, who))

    def leave(self) -> None:
        """Forget the packets of the visit that began last."""
        visit = self._visits.pop()
        if self._gathered > len(self._visits):
            self._gathered -= 1
            self._inside.difference_update(_seats(*visit))

    def inside(self, ground: Ground, who: Sequence[int]) -> Sequence[int]:
        """The rows whose packet is already in its chain."""
        for visit in self._visits[self._gathered :]:
            self._inside.update(_seats(*visit))
        self._gathered = len(self._visits)
        return [row for row, seat in enumerate(_seats(ground, who)) if seat in self._inside]


def _seats(ground: Ground, who: Sequence[int]) -> Iterable[tuple[Chain, int]]:
    """Each row's chain and packet."""
    return zip(repeat(ground) if isinstance(ground, Chain) else ground, who)


class TableWalk:
    """One walk of a crowd through one table. Jumps to chains that the table lacks are unknown if it is a `fragment`;
    otherwise their targets are unknown targets."""

    def __init__(
        self, table: Table, crowd: Crowd, evaluator: Evaluator, indexes: ChainIndexes, budget: Budget, fragment: bool
    ) -> None:
        self._table = table
        self._crowd = crowd
        self._evaluator = evaluator
        self._indexes = indexes
        self._budget = budget
        self._effects = Effects(table.name, fragment, indexes.destinations, crowd.to)
        self._visits: dict[Key, Visit] = {}
        self._finished: list[Visit] = []
        self._open: dict[Layout, _Open] = {}
        self._entry: Chain | None = None

    def arrivals(self, chain: str, entering: Iterable[tuple[PacketState, Sequence[int]]]) -> list[Arrival]:
        """How packets end that a hook sends into a chain, given their states and numbers in the crowd."""
        roots = []
        self._entry = self._table.chains[chain]
        for state, who in entering:
            root = self._finished_visit((self._entry, state, who))
            root.weights = ALWAYS
            roots.append(root)
        _spread_weights(self._finished)
        arrivals = [
            self._arrival(ended.end, visit, ended.rows, ended.share, ended.to, ended.via)
            for visit in self._finished
            for ended in visit.ended
        ]
        for root in roots:
            arrivals.extend(self._at_the_end(root))
        for visit in self._finished:
            visit.forget_callees()
        return arrivals

    def _at_the_end(self, root: Visit) -> Iterable[Arrival]:
        """Apply the policy to what returns from the chain that was entered, if it has one."""
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
        """The finished visit for a key. The visits of callees are finished first, on an explicit stack."""
        stack = [self._opened(key)]
        answer: Visit | None = None
        while True:
            asking, visit, walk = stack[-1]
            try:
                wanted = walk.send(answer) if answer is not None else next(walk)
            except StopIteration:
                stack.pop()
                self._open[chains_of(visit.ground)[0].layout].leave()
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
        layout = chains_of(ground)[0].layout
        if layout not in self._open:
            self._open[layout] = _Open()
        self._open[layout].enter(ground, who)
        visit = Visit(self._table.name, ground, state, who, self._crowd.take(who))
        frontier = Frontier(visit, self._evaluator, self._indexes, self._budget)
        visiting = Visiting(
            visit, frontier, self._table, self._indexes.jumps, self._effects, self._entry, self._looping
        )
        return key, visit, visiting.walk()

    def _looping(self, ground: Ground, who: Sequence[int]) -> Sequence[int]:
        """The rows whose packet is already in its chain. Costs work only for chains that jump to others of their
        layout."""
        opened = self._open.get(chains_of(ground)[0].layout)
        if not opened:
            return ()
        self._budget.left -= _COST_OF_A_SEAT * len(who)
        return opened.inside(ground, who)


def _spread_weights(finished: Sequence[Visit]) -> None:
    """Set the weights of every visit. `finished` has callees before their callers."""
    heaviest: dict[Visit, Probability] = {}
    for visit in reversed(finished):
        for callee, call in visit.calls:
            weights = _weights(visit, call)
            callee.weights = _added(callee.weights, weights)
            largest = weights[0] if isinstance(weights, list) else weights
            if callee.caller is None or largest > heaviest[callee]:
                heaviest[callee] = largest
                callee.caller = call


def _weights(visit: Visit, call: Call) -> Probability | list[Probability]:
    """The shares of packets that a call lets into a chain, one for all rows or one per row."""
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
