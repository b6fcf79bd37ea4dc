"""Stages of one priority: the orders in which the kernel may ask them, and packets to which the order makes a
difference.

Fact: at equal priorities the kernel asks first what was registered last (nf_hook_entries_grow of
net/netfilter/core.c), which no listing shows for two backends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations, permutations
from typing import Generic, TypeVar

from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.probability import Probability
from ipt_explain.netfilter.walk.packets import Packets, Travellers
from ipt_explain.records import Record

Stage = TypeVar("Stage")
Fate = TypeVar("Fate")
_BEFORE = " is asked before "


class BackendStages(Record, Generic[Stage], eq=False):
    """What one backend asks at a priority, in a known order, and how it is called."""

    stages: tuple[Stage, ...]
    name: str


class Order(Record, Generic[Stage], eq=False):
    """An order of asking, and the questions that must be answered so for it."""

    stages: tuple[Stage, ...]
    answers: tuple[tuple[str, bool], ...] = ()

    def may_be(self, state: PacketState) -> bool:
        """Whether nothing that is assumed contradicts it."""
        return all(state.answer(question) in (None, answer) for question, answer in self.answers)

    def assumed(self, state: PacketState) -> PacketState:
        """The same packet, with this order assumed."""
        for question, answer in self.answers:
            if state.answer(question) is None:
                state = state.knowing(((question, True),), answer)
        return state


def orders_of(sides: Sequence[BackendStages[Stage]], silent: tuple[Stage, ...] = ()) -> tuple[Order[Stage], ...]:
    """All orders in which these may be asked; to `silent` stages no order matters."""
    pairs = tuple(combinations(sides, 2))
    return tuple(
        Order(
            (*silent, *(stage for side in order for stage in side.stages)),
            tuple((f"{one.name}{_BEFORE}{other.name}", order.index(one) < order.index(other)) for one, other in pairs),
        )
        for order in permutations(sides)
    )


def asks_for_order(question: str) -> bool:
    """Whether a question is which of two stages is asked first."""
    return _BEFORE in question


def by_orders(
    orders: tuple[Order[Stage], ...], travellers: Travellers
) -> Iterable[tuple[tuple[Order[Stage], ...], Travellers]]:
    """Packets by the orders that may be theirs."""
    groups: dict[tuple[Order[Stage], ...], Travellers] = {}
    for state, packets in travellers.items():
        possible = tuple(order for order in orders if order.may_be(state)) or orders[:1]
        groups.setdefault(possible, Travellers()).gather(state, packets)
    return groups.items()


Ends = Sequence[tuple[PacketState, Fate, Packets]]


class Joined(Generic[Stage, Fate]):
    """What becomes of packets in several orders: those to whom all orders do the same go on as one."""

    def __init__(self, ways: Sequence[tuple[Order[Stage], Ends[Fate]]]) -> None:
        self._ways = ways

    def __iter__(self) -> Iterator[tuple[PacketState, Fate, Packets]]:
        indifferent = self._indifferent()
        share = Fraction(1, len(self._ways))
        for number, (order, ends) in enumerate(self._ways):
            for state, fate, packets in ends:
                rows: tuple[list[int], list[int]] = ([], [])
                for row, who in enumerate(packets.who):
                    rows[who in indifferent].append(row)
                if rows[True] and number == 0:
                    yield state, fate, packets if not rows[False] else packets.take(rows[True])
                if rows[False]:
                    yield order.assumed(state), fate, packets.take(rows[False], share)

    def _indifferent(self) -> set[int]:
        """The numbers of packets that come to the same in every order."""
        numbers: dict[tuple[PacketState, Fate], int] = {}
        results: list[dict[int, dict[object, Probability]]] = []
        for _, ends in self._ways:
            came_to: dict[int, dict[object, Probability]] = {}
            for state, fate, packets in ends:
                number = numbers.setdefault((state, fate), len(numbers))
                for who, to, share in zip(packets.who, packets.to, packets.shares):
                    own = came_to.setdefault(who, {})
                    own[number, to] = own.get((number, to), 0) + share
            results.append(came_to)
        first, *others = results
        return {who for who, own in first.items() if all(other.get(who) == own for other in others)}
