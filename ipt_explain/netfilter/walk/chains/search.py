"""Finds the rule of a chain, or of chains of one layout, that the packets of a crowd meet next."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from ipt_explain.model import Chain, Layout, Shape
from ipt_explain.model.rule import unquote
from ipt_explain.netfilter.probability import ALWAYS, NEVER, Probability, product
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.chains.chain_index import ChainIndex, ChainIndexes
from ipt_explain.netfilter.walk.chains.dealing import Dealt, by_chance, chance_of, deal, dealt_as_written
from ipt_explain.netfilter.walk.chains.evaluator import Evaluator, Outcome, Rows
from ipt_explain.netfilter.walk.chains.visit import Portion, Visit
from ipt_explain.netfilter.walk.columns import AlikeChains, Batch, rows_left, whole_blocks
from ipt_explain.records import Record


class Met(Record, eq=False):
    """A portion at a rule, and whether the rule matches. `place` is the rule's number, one for all rows or one per row;
    one more than the last rule's number stands for the end of the chain."""

    portion: Portion
    place: int | Sequence[int]
    outcome: Outcome


class SpreadPortion(Record, eq=False):
    """A portion that a run of rules spreads by chance: each row's packet goes to each of `places` with the share in
    `shares`."""

    portion: Portion
    places: Sequence[int]
    shares: Sequence[Probability]


Found = Met | SpreadPortion


class Search:
    """Searches the chain or chains of one visit. Adds what it finds to `found`, in no particular order."""

    def __init__(self, visit: Visit, evaluator: Evaluator, indexes: ChainIndexes) -> None:
        self.found: list[Found] = []
        self._visit = visit
        self._evaluator = evaluator
        self._indexes = indexes
        ground = visit.ground
        self._one: Chain | None = ground if isinstance(ground, Chain) else None
        self.layout: Layout = ground.layout if isinstance(ground, Chain) else ground[0].layout
        self.end = len(self.layout.shapes)

    def batch(self, place: int | Sequence[int], rows: Rows) -> Batch:
        """The rules that some rows are at."""
        ground = self._visit.ground
        chains: Chain | Sequence[Chain] = ground
        if rows is not None and not isinstance(ground, Chain):
            chains = [ground[row] for row in rows]
        return Batch(self.layout.shapes[place if isinstance(place, int) else place[0]], chains, place)

    def ask(self, portion: Portion, place: int | Sequence[int]) -> Portion | None:
        """Ask the rule that a portion is at, and add what it takes to `found`. Returns the rest, which goes on."""
        crowd = self._visit.crowd_of(portion.rows)
        answered = self._evaluator.ask(self.batch(place, portion.rows), portion.state, crowd)
        for outcome, part in answered:
            self.found.append(Met(portion.of(part), _at(place, part), outcome))
        left = rows_left(len(crowd), [part for _, part in answered])
        return None if left is not None and not left else portion.of(left)

    def from_place(self, portion: Portion, start: int) -> Iterator[tuple[Portion, Sequence[int]]]:
        """Find the next rules from a place on. Yields rows that must search on after their own rules, with those rules'
        places."""
        index = None if self._one is None else self._indexes.of(self._one)
        if index is None:
            self._scan(portion, range(start, self.end))
            return
        to = self._visit.crowd.to
        numbers = portion.numbers(len(to))
        unclear = index.unclear(to, numbers)
        if unclear:
            self._scan(portion.at(unclear), index.may_match([to[row] for row in unclear], start))
            gone = set(unclear)
            known = [row for row in numbers if row not in gone]
            if not known:
                return
            portion = portion.at(known)
        yield from self._by_index(portion, index, start, start)

    def behind(self, portion: Portion, places: Sequence[int]) -> Iterator[tuple[Portion, Sequence[int]]]:
        """As `from_place`, with each row searching after its own place."""
        index = None if self._one is None else self._indexes.of(self._one)
        assert index is not None  # only an index makes rows meet rules in different places
        numbers = portion.numbers(len(self._visit.crowd))
        others = [*index.others, self.end]
        starts = sorted((others[bisect_left(others, at)], at + 1, row) for at, row in zip(places, numbers))
        for first, same in groupby(starts, key=lambda start: start[0]):
            members = list(same)
            part = portion.at([row for _, _, row in members])
            yield from self._by_index(part, index, first, [start for _, start, _ in members])

    # Rule by rule.

    def _scan(self, portion: Portion, places: Sequence[int]) -> None:
        """Ask the rules at these places one after the other; consecutive rules that choose by chance are asked
        together."""
        waiting = [(portion, 0)]
        while waiting:
            waiting.extend(self._scan_on(*waiting.pop(), places))

    def _scan_on(self, portion: Portion, turn: int, places: Sequence[int]) -> Iterable[tuple[Portion, int]]:
        """Continue a scan from one of its places. Stops at rules that differ from row to row; returns the groups of
        alike rows, which go on separately."""
        while turn < len(places):
            place = places[turn]
            last = self._run_end(place)
            if last - place > 1:
                apart = self._apart(portion, range(place, last))
                if apart:
                    return [(part, turn) for part in apart]
                left = self._run(portion, place, last)
                if left is not None:
                    if not left:
                        return ()
                    if left is not ALWAYS:
                        portion = portion.share_of(left)
                    turn = bisect_left(places, last)
                    continue
            rest = self.ask(portion, place)
            if rest is None:
                return ()
            portion = rest
            turn += 1
        self.found.append(Met(portion, self.end, Truth.NO))
        return ()

    def _run_end(self, place: int) -> int:
        """The end of the run of equal shapes that begins here, if asking its rules together pays; otherwise the next
        place."""
        shapes = self.layout.shapes
        shape, last = shapes[place], place + 1
        if last < self.end and shapes[last] is shape and by_chance(shape):
            while last < self.end and shapes[last] is shape:
                last += 1
        return last

    def _run(self, portion: Portion, first: int, last: int) -> Probability | None:
        """Ask a run of rules of one shape at once, and the rule after it if that takes all the rest.

        Returns the share that is left; None if the rules do more than choose by chance, or choose differently for some
        rows.
        """
        dealt = self._dealt_by_words(portion, range(first, last))
        if dealt is None:
            chances = self._chances(portion, range(first, last))
            if chances is None:
                return None
            dealt = deal(chances)
        parts, left = dealt
        if left and self._takes_all(last, self.layout.shapes[first]):
            parts, left = (*parts, left), NEVER
        at = [number for number, share in enumerate(parts) if share]
        if at:
            shares = [product(portion.share, parts[number]) for number in at]
            self.found.append(SpreadPortion(portion, [first + number for number in at], shares))
        return left

    def _takes_all(self, place: int, run: Shape) -> bool:
        """Whether the rule after a run sends everything that the run leaves to a chain, as the run's rules do."""
        if place == self.end or self._evaluator.conditions(self.layout.shapes[place]):
            return False
        target = self.layout.shapes[place].target
        assert run.target is not None
        return target is not None and target.slot is not None and target.kind is run.target.kind

    def _apart(self, portion: Portion, places: range) -> Sequence[Portion]:
        """A portion's rows in groups whose rules have the same chances. Empty if all rows have the same, or if the
        rules test anything else.

        Otherwise one damaged chain would have the rules of all chains of its layout asked one by one.
        """
        ground, at = self._visit.ground, self._chances_at(places)
        if at is None or isinstance(ground, Chain) or AlikeChains.of(ground, portion.rows).shared(at) is not None:
            return ()
        words = itemgetter(*at)
        groups: dict[object, list[int]] = {}
        for row in portion.numbers(len(ground)):
            groups.setdefault(words(ground[row].values), []).append(row)
        return list(map(portion.at, groups.values()))

    def _dealt_by_words(self, portion: Portion, places: range) -> Dealt | None:
        """What rules that test nothing but chance take; None if they test anything else, or if their chances differ
        from row to row."""
        at = self._chances_at(places)
        words = None if at is None else AlikeChains.of(self._visit.ground, portion.rows).shared(at)
        share = self._evaluator.conditions(self.layout.shapes[places[0]])[0].share
        return None if words is None or share is None else dealt_as_written(share, tuple(map(unquote, words)))

    def _chances_at(self, places: range) -> tuple[int, ...] | None:
        """Where chains keep the chances of rules that test nothing else; None if the rules test anything else."""
        conditions = self._evaluator.conditions(self.layout.shapes[places[0]])
        if len(conditions) != 1 or conditions[0].share is None:
            return None
        return tuple([self.layout.offsets[place] + conditions[0].slots[0] for place in places])

    def _chances(self, portion: Portion, places: range) -> Sequence[Probability] | None:
        """The chance that each rule of a run takes a packet that meets it; None if chances differ from row to row."""
        state, crowd, ask = portion.state, self._visit.crowd_of(portion.rows), self._evaluator.ask
        width, count = len(crowd), len(places)
        answered: list[tuple[Outcome, Sequence[int] | None]] = []
        if self._one is None:  # chains of one layout mostly say the same in one place
            for number, place in enumerate(places):
                for outcome, part in ask(self.batch(place, portion.rows), state, crowd):
                    answered.append((outcome, [number] if part is None or len(part) == width else None))
        else:
            batch = Batch(self.layout.shapes[places[0]], self._one, [place for place in places for _ in range(width)])
            for outcome, part in ask(batch, state, crowd.repeated(count)):
                answered.append((outcome, range(count) if part is None else whole_blocks(part, width)))
        chances: list[Probability] = [NEVER] * count
        seen: set[int] = set()
        for outcome, numbers in answered:
            chance = chance_of(outcome, state)
            if chance is None or numbers is None or not seen.isdisjoint(numbers):
                return None
            seen.update(numbers)
            for number in numbers:
                chances[number] = chance
        return chances

    # By address and port.

    def _by_index(
        self, portion: Portion, index: ChainIndex, first: int, starts: int | Sequence[int]
    ) -> Iterator[tuple[Portion, Sequence[int]]]:
        """Let rows meet the next rule for their own address or port, or whichever of the other rules from place `first`
        on comes before it.

        `starts` is where each row searches from. Yields the rows that did not match their own rule, with its place.
        """
        crowd = self._visit.crowd
        own = index.own(crowd.to, portion.numbers(len(crowd)), starts)
        for other in [*index.others[bisect_left(index.others, first) :], self.end]:
            here = own[: bisect_left(own, (other, -1))]
            if here:
                own = own[len(here) :]
                yield from self._at_own(portion, index, here)
                gone = {row for _, row in here}
                left = [row for row in portion.numbers(len(crowd)) if row not in gone]
                if not left:
                    return
                portion = portion.at(left)
            if other == self.end:
                self.found.append(Met(portion, self.end, Truth.NO))
                return
            rest = self.ask(portion, other)
            if rest is None:
                return
            if rest.rows is not portion.rows and own:
                kept = set(rest.numbers(len(crowd)))
                own = [each for each in own if each[1] in kept]
            portion = rest

    def _at_own(
        self, portion: Portion, index: ChainIndex, here: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[Portion, Sequence[int]]]:
        """Ask the rules for single addresses and ports, those of one shape together. Yields the rows that they do not
        match."""
        for rows, places in index.by_shape(here):
            rest = self.ask(portion.at(rows), places if len(places) > 1 else places[0])
            if rest is not None:
                place_of = dict(zip(rows, places))
                yield rest, [place_of[row] for row in rest.numbers(len(self._visit.crowd))]


def _at(place: int | Sequence[int], part: Rows) -> int | Sequence[int]:
    if isinstance(place, int) or part is None:
        return place
    return place[part[0]] if len(part) == 1 else [place[row] for row in part]
