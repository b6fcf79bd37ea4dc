"""Many packets in one state, each at its own rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from ipt_explain.model import nft
from ipt_explain.netfilter.nft.columns.lookups import readings_of
from ipt_explain.netfilter.nft.values.kinds import ABSENT, Reading
from ipt_explain.netfilter.nft.values.readings import read
from ipt_explain.netfilter.nft.ways import AlikePackets, CommonWay, Leap, Leaps, Way
from ipt_explain.netfilter.packet import Bound, Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS
from ipt_explain.netfilter.targets import Flow, Verdict
from ipt_explain.records import NamedTuple

Places = Sequence[int]
Value = TypeVar("Value")


class RulePackets(NamedTuple):
    """Packets in one state, each with its rule, destination and original destination."""

    table: nft.Table
    rules: Sequence[nft.Rule]
    state: PacketState
    to: Sequence[Heading]
    sent: Sequence[Heading]

    def bound(self, place: int) -> Bound:
        """A packet's destination and original destination, and the line of its rule."""
        return Bound(self.to[place], self.sent[place], self.rules[place].line)

    @property
    def alike(self) -> bool:
        """Whether all packets meet the same rule."""
        return self.rules.count(self.rules[0]) == len(self.rules)

    def readings(self, field: nft.Expression, places: Places) -> Sequence[Reading]:
        """The packets' values of an expression about their destination."""
        first = read(field, self.state, self.bound(places[0]))
        readings = None if first is ABSENT else readings_of(field, self.heading(places))
        return [read(field, self.state, self.bound(place)) for place in places] if readings is None else readings

    def heading(self, places: Places) -> tuple[Heading, ...]:
        """The packets' destinations."""
        to = self.to
        return tuple(to) if len(places) == len(to) else tuple([to[place] for place in places])

    def all_go(self, places: Places, then: Verdict | Flow, matched: bool = True, entered: bool = False) -> AlikePackets:
        """The packets all go one way, unchanged."""
        way = CommonWay(ALWAYS, then, self.state, self.heading(places), matched, entered=entered)
        return AlikePackets(places, [way])

    def all_as(self, places: Places, ways: Sequence[Way]) -> AlikePackets:
        """The packets all go the ways of one of them, and stay bound for where they are."""
        to = self.heading(places)
        common = [CommonWay(way.share, way.then, way.state, to, way.matched, way.reason) for way in ways]
        return AlikePackets(places, common)


def repeated(column: Iterable[Value], times: int) -> list[Value]:
    """Each value of a column so many times in a row."""
    return [value for value in column for _ in range(times)]


def one_jump(leaps: Sequence[Leap]) -> Leap | Leaps:
    """One jump of several packets: to the same chain, or to chains of one layout."""
    names = tuple([leap.chain for leap in leaps])
    return leaps[0] if len(set(names)) == 1 else Leaps(names, leaps[0].goto)


def common_way(ways: Sequence[Way]) -> CommonWay:
    """One way of many packets, given the way of each."""
    first = ways[0]
    then: Verdict | Flow | Leap | Leaps = first.then
    if isinstance(then, Leap) and len(ways) > 1:
        then = one_jump([way.then for way in ways if isinstance(way.then, Leap)])
    return CommonWay(first.share, then, first.state, tuple([way.to for way in ways]), first.matched, first.reason)
