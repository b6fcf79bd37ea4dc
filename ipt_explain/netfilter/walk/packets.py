"""Packets between tables: who they are, their destinations, their shares of their connections, and how they got
there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, groupby, repeat
from operator import is_
from typing import TYPE_CHECKING

from ipt_explain.netfilter.cached import CachedColumn
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, products, total
from ipt_explain.netfilter.walk.chains.portions import with_one_less, with_opposites
from ipt_explain.netfilter.walk.chains.table import Arrival
from ipt_explain.netfilter.walk.columns import alike_rows, picked

if TYPE_CHECKING:
    from typing import Protocol, TypeAlias

    from ipt_explain.netfilter.walk.path import AnyLeg, Path

    class FromStage(Protocol):
        """Where packets come from, other than a table of iptables."""

        def leg(self, row: int) -> AnyLeg:
            """How a packet came through."""

        def before(self, row: int) -> tuple[Packets, int]:
            """The packets and row that a packet was before."""

    _Origin: TypeAlias = "_FromTable | _FromGroups | FromStage"


class Packets:
    """Packets in one state, in columns: `who` are their numbers in the journey, `to` their destinations, `shares` how
    much of each is here."""

    __slots__ = ("_origin", "shares", "to", "who")

    def __init__(
        self, who: Sequence[int], to: Sequence[Heading], shares: Sequence[Probability], origin: _Origin | None = None
    ) -> None:
        self.who = who
        self.to = to
        self.shares = shares
        self._origin = origin

    def __len__(self) -> int:
        return len(self.who)

    @classmethod
    def arrived(cls, arrival: Arrival, entered: Entered) -> Packets:
        """The packets of an arrival at the end of a table."""
        visit, rows = arrival.visit, arrival.rows
        numbers = picked(visit.who, rows)
        shares = arrival.shares
        if not isinstance(shares, Sequence):
            one = shares
            if entered.undivided:
                shares = [one] * len(numbers)
            else:
                shares = picked(entered.shares, numbers)
                shares = shares if one is ALWAYS else products(shares, [one] * len(shares))
        elif not entered.undivided:
            shares = products(picked(entered.shares, numbers), shares)
        return cls(picked(entered.who, numbers), arrival.to, shares, _FromTable(arrival, entered))

    @classmethod
    def joined(cls, groups: Sequence[Packets]) -> Packets:
        """Several groups as one. Rows with the same packet and destination become one row."""
        if len(groups) == 1:
            return groups[0]
        who = list(chain.from_iterable([packets.who for packets in groups]))
        to = CachedColumn(chain.from_iterable([packets.to for packets in groups]))
        shares = list(chain.from_iterable([packets.shares for packets in groups]))
        common = _in_several(groups)
        doubtful = [pair for pair in zip(who, to) if pair[0] in common] if common else ()
        if len(set(doubtful)) == len(doubtful):
            return cls(who, to, shares, _FromGroups(groups, range(len(who))))
        places: dict[tuple[int, Heading], int] = {}
        picks: list[int] = []
        heaviest: list[Probability] = []
        sums: list[Probability] = []
        for number, key in enumerate(zip(who, to)):
            place = places.setdefault(key, len(picks))
            if place == len(picks):
                picks.append(number)
                sums.append(shares[number])
                heaviest.append(shares[number])
                continue
            sums[place] = total(sums[place], shares[number])
            if shares[number] > heaviest[place]:
                picks[place], heaviest[place] = number, shares[number]
        origin = _FromGroups(groups, picks)
        return cls([who[number] for number in picks], [to[number] for number in picks], sums, origin)

    def take(self, rows: Sequence[int], share: Probability = ALWAYS) -> Packets:
        """A share of some of them."""
        shares = picked(self.shares, rows)
        if share is not ALWAYS:
            shares = products(shares, [share] * len(shares))
        origin = _FromGroups((self,), rows)
        return Packets(picked(self.who, rows), picked(self.to, rows), shares, origin)

    def bound_for(self, to: Heading) -> Packets:
        """The same packets, all with one destination."""
        rows = range(len(self))
        return Packets(self.who, [to] * len(rows), self.shares, _FromGroups((self,), rows))

    def runs(self) -> Iterator[tuple[int, range]]:
        """Each packet's number with its rows. A packet whose rows are not adjacent appears several times."""
        first = 0
        for packet, same in groupby(self.who):
            last = first + len(list(same))
            yield packet, range(first, last)
            first = last

    def path(self, row: int) -> Path | None:
        """How a packet got there; None if no table has seen it yet."""
        from ipt_explain.netfilter.walk.path import Leg, Path

        legs: list[AnyLeg] = []
        packets: Packets = self
        while packets._origin is not None:
            origin = packets._origin
            if isinstance(origin, _FromTable):
                arrival = origin.arrival
                visit, seat = arrival.visit, arrival.rows[row]
                bound = visit.crowd.bound(seat, 0)
                legs.append(Leg(visit, seat, arrival.via, bound, arrival.to[row]))
                packets, row = origin.entered.before(visit.who[seat])
            elif isinstance(origin, _FromGroups):
                packets, row = origin.before(row)
            else:
                legs.append(origin.leg(row))
                packets, row = origin.before(row)
        return Path(tuple(reversed(legs))) if legs else None

    @property
    def arrival(self) -> Arrival | None:
        """What they met last, if that was a table of iptables."""
        return self._origin.arrival if isinstance(self._origin, _FromTable) else None

    def rows(self) -> Iterable[object]:
        """Each packet with its destination and share."""
        return zip(self.who, self.to, self.shares)

    def split(self, rows: Sequence[int]) -> tuple[Packets, list[Packets]]:
        """Some of the rows, and the others as a list that is empty if there are none."""
        rest = [] if isinstance(rows, range) else sorted(set(range(len(self))).difference(rows))
        return (self.take(rows) if rest else self), [self.take(rest)] if rest else []

    def same_packets(self, other: Packets) -> bool:
        """Whether both are the same packets with the same destinations."""
        return (self.who is other.who or list(self.who) == list(other.who)) and (
            self.to is other.to or list(self.to) == list(other.to)
        )


def _in_several(groups: Sequence[Packets]) -> set[int]:
    """The packets that are in more than one group."""
    seen: set[int] = set()
    several: set[int] = set()
    for packets in groups:
        own = set(packets.who)
        several |= own & seen
        seen |= own
    return several


class _Numbered:
    """Several groups of packets with consecutive numbers."""

    __slots__ = ("_groups", "_starts")

    def __init__(self, groups: Sequence[Packets]) -> None:
        self._groups = groups
        self._starts = [0, *accumulate(map(len, groups))]

    def numbers(self) -> Iterable[range]:
        """The numbers of the packets in each group."""
        return map(range, self._starts, self._starts[1:])

    def before(self, number: int) -> tuple[Packets, int]:
        """The group of a number, and the row in it."""
        place = bisect_right(self._starts, number) - 1
        return self._groups[place], number - self._starts[place]


class Entered(_Numbered):
    """Everything that enters a table at once: one group per state."""

    __slots__ = ("shares", "to", "undivided", "who")

    def __init__(self, groups: Sequence[Packets]) -> None:
        super().__init__(groups)
        alone = groups[0] if len(groups) == 1 else None
        self.who = alone.who if alone else list(chain.from_iterable([packets.who for packets in groups]))
        self.to = alone.to if alone else list(chain.from_iterable([packets.to for packets in groups]))
        self.shares = alone.shares if alone else list(chain.from_iterable([packets.shares for packets in groups]))
        self.undivided = all(map(is_, self.shares, repeat(ALWAYS)))


class _FromTable:
    __slots__ = ("arrival", "entered")

    def __init__(self, arrival: Arrival, entered: Entered) -> None:
        self.arrival = arrival
        self.entered = entered


class _FromGroups(_Numbered):
    __slots__ = ("_picks",)

    def __init__(self, groups: Sequence[Packets], picks: Sequence[int]) -> None:
        super().__init__(groups)
        self._picks = picks

    def before(self, row: int) -> tuple[Packets, int]:
        return super().before(self._picks[row])


class Travellers:
    """Groups of packets by state."""

    def __init__(self) -> None:
        self._groups: dict[PacketState, list[Packets]] = {}

    def __bool__(self) -> bool:
        return bool(self._groups)

    def gather(self, state: PacketState, packets: Packets) -> None:
        """Add packets in a state."""
        if packets.who:
            self._groups.setdefault(state, []).append(packets)

    def items(self) -> Iterable[tuple[PacketState, Packets]]:
        """Each state with its packets; several groups in one state are joined."""
        for state, groups in self._groups.items():
            if len(groups) > 1:
                self._groups[state] = [Packets.joined(groups)]
            yield state, self._groups[state][0]

    def forget_idle_answers(self) -> None:
        """Join packets whose states differ only in an answer that made no difference, or in whether a rule has counted
        them."""
        _forget_idle(self._groups)
        _forget_counts(self._groups)


def _forget_counts(groups: dict[PacketState, list[Packets]]) -> None:
    """Join the packets that a rule has counted and those that it has not, if their states differ in nothing else."""
    for state in sorted((state for state in groups if state.counted), key=lambda state: -len(state.counted)):
        for fewer in with_one_less(state.counted):
            twin = state._replace(counted=fewer)
            if twin not in groups:
                continue
            one, other = Packets.joined(groups[state]), Packets.joined(groups[twin])
            if one.same_packets(other):
                del groups[state]
                groups[twin] = [Packets.joined((other, one))]
                break


def _forget_idle(groups: dict[PacketState, list[Packets]]) -> None:
    """Join equal groups whose states differ only in the answer to one question, until there are none."""
    waiting = [state for state in groups if state.answers]
    while waiting:
        state = waiting.pop()
        if state not in groups:
            continue
        for answer, opposite, fewer in with_opposites(state.answers):
            twin = state.with_answers(opposite)
            if twin not in groups:
                continue
            one, other = Packets.joined(groups[state]), Packets.joined(groups[twin])
            rows = alike_rows(one.rows(), other.rows(), answer.is_shared)
            if rows is None:
                continue
            (one, groups[state]), (other, groups[twin]) = one.split(rows[0]), other.split(rows[1])
            for key in (state, twin):
                if not groups[key]:
                    del groups[key]
            merged = state.with_answers(fewer)
            groups.setdefault(merged, []).append(Packets.joined((other, one) if answer.hold else (one, other)))
            waiting += [merged, state]
            break
