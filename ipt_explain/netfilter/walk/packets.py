"""Packets between tables: who they are, where each is bound for, its share of its connections, and how it came there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, groupby, repeat
from operator import is_
from typing import TYPE_CHECKING

from ipt_explain.netfilter.cached import CachedColumn
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, products, total
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


# Of a packet's latest answers, so many are looked at: what was asked before has mattered since.
_LATEST = 4


class Packets:
    """Packets in one state, in columns: `who` are their numbers among those that set out, `to` where each is bound for,
    `shares` how much of each is here.
    """

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
        """Those that a table passes or stops."""
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
        """Several as one; what is of one connection and bound for one place becomes one packet."""
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
        """The same packets, all bound for one place."""
        rows = range(len(self))
        return Packets(self.who, [to] * len(rows), self.shares, _FromGroups((self,), rows))

    def runs(self) -> Iterator[tuple[int, range]]:
        """Its packets by number, each with its rows; one whose rows do not lie together comes several times."""
        first = 0
        for packet, same in groupby(self.who):
            last = first + len(list(same))
            yield packet, range(first, last)
            first = last

    def path(self, row: int) -> Path | None:
        """How a packet came there; None where no table has had a say."""
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
        """What they met last, if a table of iptables was the last to have a say."""
        return self._origin.arrival if isinstance(self._origin, _FromTable) else None

    def rows(self) -> Iterable[object]:
        """Its packets, where each is bound for, and its share."""
        return zip(self.who, self.to, self.shares)

    def split(self, rows: Sequence[int]) -> tuple[Packets, list[Packets]]:
        """Some of them, and the others, if there are any."""
        rest = [] if isinstance(rows, range) else sorted(set(range(len(self))).difference(rows))
        return (self.take(rows) if rest else self), [self.take(rest)] if rest else []

    def same_packets(self, other: Packets) -> bool:
        """Whether both are the same packets, bound for the same places."""
        return (self.who is other.who or list(self.who) == list(other.who)) and (
            self.to is other.to or list(self.to) == list(other.to)
        )


def _in_several(groups: Sequence[Packets]) -> set[int]:
    """The connections of which more than one group has packets."""
    seen: set[int] = set()
    several: set[int] = set()
    for packets in groups:
        own = set(packets.who)
        several |= own & seen
        seen |= own
    return several


class _Numbered:
    """Several groups of packets, numbered through."""

    __slots__ = ("_groups", "_starts")

    def __init__(self, groups: Sequence[Packets]) -> None:
        self._groups = groups
        self._starts = [0, *accumulate(map(len, groups))]

    def numbers(self) -> Iterable[range]:
        """The numbers of each group's packets."""
        return map(range, self._starts, self._starts[1:])

    def before(self, number: int) -> tuple[Packets, int]:
        """The packets and the row of a number."""
        place = bisect_right(self._starts, number) - 1
        return self._groups[place], number - self._starts[place]


class Entered(_Numbered):
    """All that enters a table at once: the groups of several states."""

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
    """Groups by the state of their packets."""

    def __init__(self) -> None:
        self._groups: dict[PacketState, list[Packets]] = {}

    def __bool__(self) -> bool:
        return bool(self._groups)

    def gather(self, state: PacketState, packets: Packets) -> None:
        """Add packets in a state."""
        if packets.who:
            self._groups.setdefault(state, []).append(packets)

    def items(self) -> Iterable[tuple[PacketState, Packets]]:
        """Each state with its packets, those of one joined."""
        for state, groups in self._groups.items():
            if len(groups) > 1:
                self._groups[state] = [Packets.joined(groups)]
            yield state, self._groups[state][0]

    def forget_idle_answers(self) -> None:
        """Join packets whose states differ only in the answer to one question, where it has not mattered, or in whether
        a rule has counted them."""
        forget_idle(self._groups)
        forget_counts(self._groups)


def forget_counts(groups: dict[PacketState, list[Packets]]) -> None:
    """Join what a rule has taken by counting with what it has not, where their states differ in nothing else."""
    for state in sorted((state for state in groups if state.counted), key=lambda state: -len(state.counted)):
        counted = state.counted
        for place in range(len(counted)):
            twin = state._replace(counted=counted[:place] + counted[place + 1 :])
            if twin not in groups:
                continue
            one, other = Packets.joined(groups[state]), Packets.joined(groups[twin])
            if one.same_packets(other):
                del groups[state]
                groups[twin] = [Packets.joined((other, one))]
                break


def forget_idle(groups: dict[PacketState, list[Packets]]) -> None:
    """Join groups that are alike and whose states differ only in the answer to one question; until there are none."""
    waiting = [state for state in groups if state.answers]
    while waiting:
        state = waiting.pop()
        if state not in groups:
            continue
        answers = state.answers
        for place in range(len(answers) - 1, max(-1, len(answers) - 1 - _LATEST), -1):
            answer = answers[place]
            twin = state.with_answers((*answers[:place], answer.opposite, *answers[place + 1 :]))
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
            merged = state.with_answers(answers[:place] + answers[place + 1 :])
            groups.setdefault(merged, []).append(Packets.joined((other, one) if answer.hold else (one, other)))
            waiting += [merged, state]
            break
