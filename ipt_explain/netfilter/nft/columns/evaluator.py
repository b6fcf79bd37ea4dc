"""What rules of one shape do with many packets, each of which meets its own rule.

Thousands of kube-proxy's chains differ only in their constants. So everything else is evaluated once, and constants are
compared column by column. Rules for which that does not work are evaluated one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

from ipt_explain.model import nft
from ipt_explain.netfilter.nft.columns.draws import Draw, Draws
from ipt_explain.netfilter.nft.columns.layouts import Layouts
from ipt_explain.netfilter.nft.columns.lookups import UNSURE, LookUps, look_up
from ipt_explain.netfilter.nft.columns.packets import Places, RulePackets, common_way, one_jump, repeated
from ipt_explain.netfilter.nft.evaluator import NftEvaluator, asks_where_to
from ipt_explain.netfilter.nft.rewriting import applies
from ipt_explain.netfilter.nft.values.comparing import compared
from ipt_explain.netfilter.nft.values.constants import datatype_of
from ipt_explain.netfilter.nft.values.kinds import ABSENT, AddressType, Chance, Reading
from ipt_explain.netfilter.nft.values.readings import looks_at_heading, read
from ipt_explain.netfilter.nft.ways import AlikePackets, CommonWay, Leap, Leaps, Way, leap_of, then_of
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS
from ipt_explain.netfilter.targets import Flow, Verdict
from ipt_explain.netfilter.truth import Truth


class ColumnEvaluator:
    """Evaluates rules of one shape, and groups the packets that they treat alike."""

    def __init__(self) -> None:
        self.evaluator = NftEvaluator()
        self._layouts = Layouts()
        self._draws = Draws(self._layouts)
        self._courses: dict[tuple[int, int], tuple[object, Verdict | Flow | Leap]] = {}  # tables stay
        self._truths: dict[tuple[nft.Expression, nft.Operator, Reading], dict[nft.Expression, Truth]] = {}

    def answers(
        self, table: nft.Table, rules: Sequence[nft.Rule], state: PacketState, to: Sequence[Heading],
        sent: Sequence[Heading], unasked: bool, spreads: bool,
    ) -> Iterator[AlikePackets]:  # fmt: skip
        """What rules do with packets in one state. Each packet has its rule, its destination (`to`) and its original
        destination (`sent`).

        With `unasked`, no rule will test the lists that packets are added to. With `spreads`, packets that go at random
        to several addresses, or to chains of one layout without return, may be reported as one way with several entries
        per packet.
        """
        packets = RulePackets(table, rules, state, to, sent)
        places: Places = range(len(rules))
        odd: list[int] = []
        entered = False
        for number, statement in enumerate(rules[0].statements):
            if isinstance(statement, nft.Match):
                undecided: list[int] = []
                places, missed = self._matched(packets, number, places, undecided)
                if missed:
                    yield packets.all_go(missed, Flow.CONTINUE, matched=False)
                if undecided and packets.alike and not any(map(asks_where_to, rules[0].statements[number:])):
                    ways = self.evaluator.ways(table, rules[0], state, packets.bound(undecided[0]))
                    yield packets.all_as(undecided, ways)
                else:
                    odd += undecided
            elif isinstance(statement, nft.Verdict):
                then = then_of(statement)
                if isinstance(then, Leap):
                    yield from self._leaping(packets, places, number)
                elif then is not None:
                    yield packets.all_go(places, then)
                places = places if then is None else ()
            elif isinstance(statement, nft.VerdictMap):
                yield from self._drawn(packets, number, places, odd, spreads)
                places = ()
            elif isinstance(statement, nft.Nat):
                if applies(statement, state):
                    yield from self._sent_on(packets, number, places, odd, spreads)
                else:
                    yield packets.all_go(places, Flow.CONTINUE, matched=False)
                places = ()
            elif unasked and isinstance(statement, nft.SetUpdate) and not statement.statements:
                entered = True
            else:
                changed = self.evaluator.changed(table, rules[0], statement, packets.state, packets.bound(0))
                if changed is None:
                    odd += places
                    places = ()
                else:
                    packets = packets._replace(state=changed)
            if not places:
                break
        if places:
            yield packets.all_go(places, Flow.CONTINUE, entered=entered)
        if odd:
            odd.sort()
            ask = self.evaluator.ways
            asked = [ask(table, rules[place], state, packets.bound(place)) for place in odd]
            yield from self.grouped(table, odd, asked)

    def grouped(self, table: nft.Table, places: Places, answers: Iterable[Sequence[Way]]) -> Iterator[AlikePackets]:
        """Groups packets with the same ways, given the ways of each."""
        course = self._layouts.course
        alike: dict[tuple[object, ...], list[tuple[int, Sequence[Way]]]] = {}
        states: dict[int, PacketState] = {}  # by identity: comparing is slow, and nearly all are one object
        equal: dict[PacketState, PacketState] = {}
        for place, ways in zip(places, answers):
            for way in ways:
                if id(way.state) not in states:
                    states[id(way.state)] = equal.setdefault(way.state, way.state)
            key = tuple([
                (way.share, course(table, way.then), id(states[id(way.state)]), way.matched, way.reason)
                for way in ways
            ])
            alike.setdefault(key, []).append((place, ways))
        for members in alike.values():
            yield AlikePackets(
                [place for place, _ in members],
                [common_way([ways[number] for _, ways in members]) for number in range(len(members[0][1]))],
            )

    def _matched(
        self, packets: RulePackets, number: int, places: Places, undecided: list[int]
    ) -> tuple[Places, Places]:
        """The places whose rules match, and those whose rules do not. Others are added to `undecided`."""
        state = packets.state
        first = packets.rules[places[0]].statements[number]
        assert isinstance(first, nft.Match)
        found = self._found(packets, places, first.left, first.right)
        if found is not None:
            return _parted(places, found.places, first.operator is nft.Operator.NOT_EQUAL, undecided)
        statements = [packets.rules[place].statements[number] for place in places]
        matches = [statement for statement in statements if isinstance(statement, nft.Match)]
        truths: list[object] = []
        if isinstance(first.left, nft.Concatenation) or isinstance(first.right, (nft.SetLiteral, nft.SetReference)):
            ask = self.evaluator.statements.matcher.match
            truths += [ask(packets.table, match, state, packets.bound(place)) for match, place in zip(matches, places)]
        elif looks_at_heading(first.left):
            truths += map(_compared, matches, packets.readings(first.left, places), repeat(state))
        else:
            reading = read(first.left, state, packets.bound(0))
            known = self._truths.setdefault((first.left, first.operator, reading), {})
            for match in matches:
                if match.right not in known:
                    known[match.right] = _compared(match, reading, state)
            truths += [known[match.right] for match in matches]
        fits = [place for place, truth in zip(places, truths) if truth is Truth.YES]
        missed = [place for place, truth in zip(places, truths) if truth is Truth.NO]
        if len(fits) + len(missed) < len(truths):
            decided = Truth.YES, Truth.NO
            undecided += [place for place, truth in zip(places, truths) if truth not in decided]
        return fits, missed

    def _found(
        self, packets: RulePackets, places: Places, key: nft.Expression, data: nft.Expression | nft.SetData
    ) -> LookUps | None:
        """What packets find in a set if all meet the same rule; None if each must be looked up by itself."""
        if not packets.alike or not isinstance(data, (nft.SetLiteral, nft.SetReference)) or not looks_at_heading(key):
            return None
        matcher = self.evaluator.statements.matcher
        return look_up(matcher, packets.table, key, data, packets.state, packets.heading(places))

    def _leaping(self, packets: RulePackets, places: Places, number: int) -> Iterator[AlikePackets]:
        """Packets that each go to the chain in their rule."""
        leaps = [leap for place in places if (leap := leap_of(packets.rules[place].statements[number])) is not None]
        groups: dict[object, list[int]] = {}
        for at, leap in enumerate(leaps):
            groups.setdefault(self._layouts.course(packets.table, leap), []).append(at)
        for members in groups.values():
            those = [places[at] for at in members]
            then = one_jump([leaps[at] for at in members])
            yield AlikePackets(those, [CommonWay(ALWAYS, then, packets.state, packets.heading(those), True)])

    def _drawn(
        self, packets: RulePackets, number: int, places: Places, odd: list[int], spreads: bool
    ) -> Iterator[AlikePackets]:
        """Packets that each go to one of the chains in their rule's map, at random or by key."""
        given = packets.rules[0].statements[number]
        assert isinstance(given, nft.VerdictMap)
        found = self._found(packets, places, given.key, given.data)
        if found is not None:
            yield from self._given(packets, places, found, odd)
            return
        for those, draws in self._alike(packets, number, places, odd):
            to, first = packets.heading(those), draws[0]
            if spreads and len(first.leaps) > 1 and self._goes_one_way(packets.table, first):
                names = tuple([leap.chain for draw in draws for leap in draw.leaps])
                every = tuple(repeated(to, len(first.leaps)))
                way = CommonWay(first.shares[0], Leaps(names, True), packets.state, every, True)
                yield AlikePackets(repeated(those, len(first.leaps)), [way], spread=True)
                continue
            yield AlikePackets(
                those,
                [
                    CommonWay(share, one_jump([draw.leaps[at] for draw in draws]), packets.state, to, True)
                    for at, share in enumerate(first.shares)
                ],
            )

    def _given(
        self, packets: RulePackets, places: Places, found: LookUps, odd: list[int]
    ) -> Iterator[AlikePackets]:
        """Packets that each go where the element found for them says."""
        missed: list[int] = []
        groups: dict[object, tuple[list[int], list[Leap]]] = {}
        for place, at in zip(places, found.places):
            data = None if at is None or at == UNSURE else found.data[at]
            if at == UNSURE:
                odd.append(place)
            elif not isinstance(data, nft.Verdict):
                missed.append(place)
            else:
                course, then = self._course(packets.table, data)
                those, leaps = groups.setdefault(course, ([], []))
                those.append(place)
                if isinstance(then, Leap):
                    leaps.append(then)
        if missed:
            yield packets.all_go(missed, Flow.CONTINUE, matched=False)
        for course, (those, leaps) in groups.items():
            if leaps:
                way = CommonWay(ALWAYS, one_jump(leaps), packets.state, packets.heading(those), True)
                yield AlikePackets(those, [way])
            elif isinstance(course, (Verdict, Flow)):
                yield packets.all_go(those, course)

    def _course(self, table: nft.Table, verdict: nft.Verdict) -> tuple[object, Verdict | Flow | Leap]:
        """Where an element leads, and its course; worked out once, as packets from everywhere ask."""
        known = self._courses.get((id(table), id(verdict)))
        if known is None:
            then = then_of(verdict) or Flow.CONTINUE
            known = self._courses[id(table), id(verdict)] = self._layouts.course(table, then), then
        return known

    def _goes_one_way(self, table: nft.Table, draw: Draw) -> bool:
        """Whether it goes (without return) to distinct chains of one layout, all equally likely."""
        courses = {self._layouts.course(table, leap) for leap in draw.leaps}
        return draw.even and len(courses) == 1 and all(leap.goto for leap in draw.leaps)

    def _alike(
        self, packets: RulePackets, number: int, places: Places, odd: list[int]
    ) -> Iterable[tuple[list[int], list[Draw]]]:
        groups: dict[int, tuple[list[int], list[Draw]]] = {}
        for place in places:
            draw = self._draws.of(packets.table, packets.rules[place], number, packets.state)
            if draw is None:
                odd.append(place)
            else:
                those, draws = groups.setdefault(draw.sort, ([], []))
                those.append(place)
                draws.append(draw)
        return groups.values()

    def _sent_on(
        self, packets: RulePackets, number: int, places: Places, odd: list[int], spreads: bool
    ) -> Iterator[AlikePackets]:
        """Packets whose destination is rewritten, to one address or at random to one of several. Those that may keep
        theirs count as not translated, and are added to `odd`."""
        state = packets.state._replace(destination_decided=True, dnat=True)
        for those, draws in self._alike(packets, number, places, odd):
            keep = [packets.to[place] in draw.headings for place, draw in zip(those, draws)]
            if any(keep):
                odd += [place for place, kept in zip(those, keep) if kept]
                draws = [draw for draw, kept in zip(draws, keep) if not kept]
                those = [place for place, kept in zip(those, keep) if not kept]
            if not draws:
                continue
            shares = draws[0].shares
            if spreads and draws[0].even and len(shares) > 1:
                to = tuple([heading for draw in draws for heading in draw.headings])
                way = CommonWay(shares[0], Verdict.ACCEPT, state, to, True)
                yield AlikePackets(repeated(those, len(shares)), [way], spread=True)
                continue
            columns = zip(shares, zip(*[draw.headings for draw in draws]))
            yield AlikePackets(those, [CommonWay(share, Verdict.ACCEPT, state, to, True) for share, to in columns])


def _parted(
    places: Places, found: Sequence[int | None], inverted: bool, undecided: list[int]
) -> tuple[Places, Places]:
    """The places of packets that a set has, and those of packets that it lacks, the other way round if `inverted`.
    Others are added to `undecided`."""
    if found.count(None) == len(found):
        return (places, ()) if inverted else ((), places)
    had = [place for place, at in zip(places, found) if at is not None and at != UNSURE]
    lacked = [place for place, at in zip(places, found) if at is None]
    if len(had) + len(lacked) < len(found):
        undecided += [place for place, at in zip(places, found) if at == UNSURE]
    return (lacked, had) if inverted else (had, lacked)


def _compared(match: nft.Match, reading: Reading, state: PacketState) -> Truth:
    """As the evaluator compares, but UNKNOWN if that takes a chance or a question."""
    if reading is ABSENT:
        return Truth.NO
    if isinstance(reading, (Chance, AddressType)):
        return Truth.UNKNOWN
    return compared(reading, match.operator, match.right, datatype_of(match.left), state)
