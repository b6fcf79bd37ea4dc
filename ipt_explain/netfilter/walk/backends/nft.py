"""What a base chain of nftables, and the chains that it leads to, do with a crowd of packets: how packets end and with
which shares.

Packets in one state at one rule, reached by the same jumps, continue together, and so do packets in chains that look
alike, each in its own. A rule that does not depend on the destination is evaluated once for all of them. Rules are
evaluated in order, so that portions which have become equal join. Nothing recurses on the depth of jumps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

from ipt_explain.columns import constant
from ipt_explain.model import nft
from ipt_explain.netfilter.nft import AlikePackets, ColumnEvaluator, CommonWay, Leap, Leaps, Stage, Way
from ipt_explain.netfilter.packet import Bound, Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, product, products, total
from ipt_explain.netfilter.targets import Flow, Verdict
from ipt_explain.netfilter.walk.backends.nft_path import Chains, Link, NftLeg, chain_of
from ipt_explain.netfilter.walk.backends.nft_places import Frame, Portion, Rows, joined, place_of_policy
from ipt_explain.netfilter.walk.chains.frontier import Budget
from ipt_explain.netfilter.walk.chains.visit import End
from ipt_explain.netfilter.walk.chains.visiting import LOOP, TOO_MUCH
from ipt_explain.netfilter.walk.columns import picked
from ipt_explain.netfilter.walk.packets import Entered, Packets
from ipt_explain.records import Record

MOST_JUMPS = 128
"""The kernel loads no chains that jump deeper than 16 (NFT_JUMP_STACK_SIZE); gotos count here, too."""

_COST_OF_A_RULE = 20
_COST_OF_A_RULE_AMONG_OTHERS = 4


class Arrival(Record, eq=False):
    """Packets that have ended. `rows` are their numbers among all that entered, `share` is the share of each, `to` are
    their destinations from now on."""

    end: End
    rows: Rows
    share: Probability
    to: Sequence[Heading]
    via: Link | None
    by_policy: bool


class ChainWalk:
    """One walk of a crowd from one base chain. `sent` has the original destination of each packet of the journey.
    `forgets`: no later chain asks which sets packets were added to here."""

    def __init__(
        self,
        stage: Stage,
        entered: Entered,
        sent: Sequence[Heading],
        columns: ColumnEvaluator,
        budget: Budget,
        forgets: bool,
    ) -> None:
        self.arrivals: list[Arrival] = []
        self._stage = stage
        self._table = stage.table
        self._entered = entered
        self._sent = [sent[number] for number in entered.who]
        self._parents: dict[int, int] = {}  # of rows that have a share of another row's packet, in a chain of their own
        self._columns = columns
        self._evaluator = columns.evaluator
        self._budget = budget
        self._forgets = forgets
        self._bundles = 0
        self._behind_all = place_of_policy(stage.chain)
        self._order: list[tuple[int | str, ...]] = []
        self._waiting: dict[tuple[int | str, ...], tuple[Frame, dict[tuple[object, ...], Portion]]] = {}

    def run(self, entering: Iterable[tuple[PacketState, Sequence[int]]]) -> list[Arrival]:
        """How packets end that enter the base chain, given their states and numbers among all that entered."""
        chain = self._stage.chain
        start = Frame(chain, len(chain.rules), 0, None, (0,), 0)
        for state, rows in entering:
            to = tuple([self._entered.to[row] for row in rows])
            self._wait(start, Portion(state, tuple(rows), to, ALWAYS, None))
        while self._order:
            frame, portions = self._waiting.pop(heappop(self._order))
            for portion in joined(portions.values()):
                if frame is self._behind_all:
                    self._meet_policy(portion)
                else:
                    self._meet(frame, portion)
        return self.arrivals

    def _wait(self, frame: Frame | None, portion: Portion) -> None:
        while frame is not None and frame.place == frame.rules:
            frame = frame.back
        if frame is None:
            frame = self._behind_all
        held = self._waiting.get(frame.order)
        if held is None:
            held = self._waiting[frame.order] = (frame, {})
            heappush(self._order, frame.order)
        # Hashing ten thousand destinations takes longer than comparing them with those of a few others.
        start = (portion.state, len(portion.rows), portion.rows[:1], portion.to[:1])
        number, portions = 0, held[1]
        while (other := portions.get((*start, number))) is not None:
            if other.rows == portion.rows and other.to == portion.to:
                via = portion.via if portion.share > other.share else other.via
                portion = portion._replace(share=total(portion.share, other.share), via=via)
                break
            number += 1
        portions[(*start, number)] = portion

    def _meet_policy(self, portion: Portion) -> None:
        via = portion.via
        if self._stage.drops:
            via = Link(via, 0, self._stage.chain, None, portion.state, portion.state)
        end = End(Verdict.DROP if self._stage.drops else Verdict.ACCEPT, portion.state)
        self.arrivals.append(Arrival(end, portion.rows, portion.share, portion.to, via, True))

    def _meet(self, frame: Frame, portion: Portion) -> None:
        """Apply a rule to a portion."""
        if self._budget.left <= 0:
            self._end(portion, Verdict.UNKNOWN, TOO_MUCH)
            return
        for part, ways in self._answers(frame, portion):
            for way in ways:
                share = part.share if way.share is ALWAYS else product(part.share, way.share)
                self._go(frame, way, portion.state, Portion(way.state, part.rows, way.to, share, part.via))

    def _answers(self, frame: Frame, portion: Portion) -> Iterable[tuple[Portion, Sequence[CommonWay]]]:
        """What a rule does with packets, each group of packets that it treats alike with its outcomes."""
        table, state, rows, sent = self._table, portion.state, portion.rows, self._sent
        chains, at = frame.chains, frame.place
        rule = chain_of(chains, rows[:1]).rules[at]
        spreads = len(self._entered.who) > 1 and (_rewrites(rule) or (_draws(rule) and not frame.comes_back()))
        apart = len(rows) > 1 and (not isinstance(chains, nft.Chain) or self._evaluator.asks_where_to(rule))
        missing = None
        if apart and isinstance(chains, nft.Chain):
            missing, portion = self._apart(rule, portion)
            rows = portion.rows
        if missing is not None:
            self._budget.left -= _COST_OF_A_RULE
            yield missing, [CommonWay(ALWAYS, Flow.CONTINUE, missing.state, missing.to, False)]
        if rows and (spreads or apart):
            rules = [rule] * len(rows) if isinstance(chains, nft.Chain) else [chains[row].rules[at] for row in rows]
            self._budget.left -= len(rules) * _COST_OF_A_RULE_AMONG_OTHERS
            unasked = self._forgets and isinstance(rule.statements[0], nft.SetUpdate) and not frame.asks_later()
            where_sent = [sent[row] for row in rows]
            for alike in self._columns.answers(table, rules, state, portion.to, where_sent, unasked, spreads):
                part = self._spread(portion, alike) if alike.spread else _part(portion, alike.places)
                yield part, alike.ways
            return
        if rows:
            self._budget.left -= _COST_OF_A_RULE
            ways = self._evaluator.ways(table, rule, state, Bound(portion.to[0], sent[rows[0]], rule.line))
            yield portion, [_of_all(way, portion.to if len(rows) > 1 else (way.to,)) for way in ways]

    def _spread(self, portion: Portion, alike: AlikePackets) -> Portion:
        """The packets at these places, each as often as it appears there. If they go on, each gets a row of its own."""
        rows: Sequence[int] = [portion.rows[place] for place in alike.places]
        if not isinstance(alike.ways[0].then, Verdict):
            parents, rows = rows, range(len(self._sent), len(self._sent) + len(rows))
            self._parents.update(zip(rows, parents))
            self._sent += [self._sent[row] for row in parents]
        return portion._replace(rows=tuple(rows), to=tuple([portion.to[place] for place in alike.places]))

    def _lineage(self, row: int) -> tuple[int, ...]:
        """A row, the row that it is a share of, and so on, up to the row of a packet that entered."""
        rows = [row]
        while rows[-1] in self._parents:
            rows.append(self._parents[rows[-1]])
        return tuple(rows)

    def _apart(self, rule: nft.Rule, portion: Portion) -> tuple[Portion | None, Portion]:
        """The packets that the rule cannot match because of their destination, if any, and the others."""
        meant = self._evaluator.destination(rule)
        if meant is None:
            return None, portion
        value, mask = meant
        missed = [isinstance(to.address, int) and to.address & mask != value for to in portion.to]
        if not any(missed):
            return None, portion
        if all(missed):
            return portion, portion._replace(rows=(), to=())
        return _picked(portion, missed, True), _picked(portion, missed, False)

    def _go(self, frame: Frame, way: CommonWay, before: PacketState, going: Portion) -> None:
        then = way.then
        if then is Flow.CONTINUE:
            if way.matched and (way.entered or _tells(before, way.state)):
                link = Link(going.via, frame.depth, frame.chains, frame.place, before, way.state)
                going = going._replace(via=link)
            self._wait(frame.behind(), going)
            return
        into = self._chains(then, going.rows)
        verdict = then if isinstance(then, Verdict) else None
        link = Link(going.via, frame.depth, frame.chains, frame.place, before, way.state, into, verdict)
        going = Portion(going.state, going.rows, going.to, going.share, link)
        if isinstance(then, Verdict):
            self._end(going, then, way.reason)
        elif then is Flow.RETURN:
            self._wait(frame.back, going)
        elif into is None:
            assert isinstance(then, Leap)
            self._end(going, Verdict.UNKNOWN, f"chain {then.chain}, which this input does not show")
        elif frame.depth >= MOST_JUMPS:
            for place, row in enumerate(going.rows):
                reason = f"{LOOP} that comes back to chain {chain_of(into, (row,)).name}"
                self._end(_part(going, [place]), Verdict.UNKNOWN, reason)
        elif isinstance(into, nft.Chain):
            self._wait(frame.into(into, then.goto), going)
        else:
            self._bundles += 1
            self._wait(frame.into_each(into, then.goto, self._bundles), going)

    def _chains(self, then: Verdict | Flow | Leap | Leaps, rows: Rows) -> Chains | None:
        """The chain that packets of these rows jump to, or one chain per row."""
        chains = self._table.chains
        if isinstance(then, Leap):
            return chains.get(then.chain)
        return {row: chains[name] for row, name in zip(rows, then.chains)} if isinstance(then, Leaps) else None

    def _end(self, portion: Portion, verdict: Verdict, reason: str) -> None:
        end = End(verdict, portion.state, reason)
        self.arrivals.append(Arrival(end, portion.rows, portion.share, portion.to, portion.via, False))

    def packets(self, arrival: Arrival) -> Packets:
        """The packets of an arrival, for the next stage."""
        entered, share = self._entered, arrival.share
        rows = [self._lineage(row)[-1] for row in arrival.rows] if self._parents else arrival.rows
        who = picked(entered.who, rows)
        shares = products(picked(entered.shares, rows), constant(share, len(rows)))
        packets = Packets(who, arrival.to, shares, _FromChain(self, arrival))
        return Packets.joined((packets, Packets((), (), ()))) if self._parents and _repeats(packets) else packets

    def leg(self, arrival: Arrival, place: int) -> NftLeg:
        """How one of an arrival's packets got through."""
        rows = self._lineage(arrival.rows[place])
        bound = Bound(self._entered.to[rows[-1]], self._sent[rows[-1]])
        return NftLeg(self._table, rows, arrival.via, bound, arrival.to[place], arrival.by_policy)

    def before(self, row: int) -> tuple[Packets, int]:
        """The group and row of a packet when it entered."""
        return self._entered.before(self._lineage(row)[-1])


class _FromChain:
    """Where packets come from: an arrival of a chain walk."""

    __slots__ = ("_arrival", "_walk")

    def __init__(self, walk: ChainWalk, arrival: Arrival) -> None:
        self._walk = walk
        self._arrival = arrival

    def leg(self, row: int) -> NftLeg:
        return self._walk.leg(self._arrival, row)

    def before(self, row: int) -> tuple[Packets, int]:
        return self._walk.before(self._arrival.rows[row])


def _draws(rule: nft.Rule) -> bool:
    """Whether a rule sends packets to several chains by chance."""
    return isinstance(rule.last, nft.VerdictMap) and isinstance(rule.last.key, nft.Numgen)


def _rewrites(rule: nft.Rule) -> bool:
    """Whether a rule sends packets to several addresses by chance."""
    lookup = rule.last.address if isinstance(rule.last, nft.Nat) else None
    return isinstance(lookup, nft.MapLookup) and isinstance(lookup.key, nft.Numgen)


def _repeats(packets: Packets) -> bool:
    return len(set(zip(packets.who, packets.to))) < len(packets)


def _picked(portion: Portion, missed: Sequence[bool], wanted: bool) -> Portion:
    places = [place for place, each in enumerate(missed) if each is wanted]
    return portion._replace(
        rows=tuple([portion.rows[place] for place in places]), to=tuple([portion.to[place] for place in places])
    )


def _part(portion: Portion, places: Sequence[int]) -> Portion:
    """The packets at these places."""
    if len(places) == len(portion.rows):
        return portion
    rows, to = portion.rows, portion.to
    return portion._replace(rows=tuple([rows[place] for place in places]), to=tuple([to[place] for place in places]))


def _of_all(way: Way, to: tuple[Heading, ...]) -> CommonWay:
    """An outcome that is the same for all packets."""
    return CommonWay(way.share, way.then, way.state, to, way.matched, way.reason)


def _tells(before: PacketState, after: PacketState) -> bool:
    """Whether a rule that lets packets go on has changed anything about them."""
    return after is not before and after._replace(answers=before.answers) != before
