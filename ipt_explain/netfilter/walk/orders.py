"""Stages of equal priority: the orders in which the kernel may ask them, and the packets to which the order matters.

Fact: at equal priority the kernel first asks what was registered last (nf_hook_entries_grow of net/netfilter/core.c).
For two backends no listing shows that.
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
    """One backend's stages of a priority, in their known order, and a name for them."""

    stages: tuple[Stage, ...]
    name: str


class Order(Record, Generic[Stage], eq=False):
    """An order of stages, and the answers to questions that it implies."""

    stages: tuple[Stage, ...]
    answers: tuple[tuple[str, bool], ...] = ()

    def may_be(self, state: PacketState) -> bool:
        """Whether it contradicts no assumption of the state."""
        return all(state.answer(question) in (None, answer) for question, answer in self.answers)

    def assumed(self, state: PacketState) -> PacketState:
        """The same packet, assuming this order."""
        for question, answer in self.answers:
            if state.answer(question) is None:
                state = state.knowing(((question, True),), answer)
        return state


def orders_of(sides: Sequence[BackendStages[Stage]], silent: tuple[Stage, ...]) -> tuple[Order[Stage], ...]:
    """All orders in which these stages may be asked. `silent` stages do nothing to packets, so their order does not
    matter."""
    pairs = tuple(combinations(sides, 2))
    return tuple(
        Order(
            (*silent, *(stage for side in order for stage in side.stages)),
            tuple((f"{one.name}{_BEFORE}{other.name}", order.index(one) < order.index(other)) for one, other in pairs),
        )
        for order in permutations(sides)
    )


def asks_for_order(question: str) -> bool:
    """Whether a question is about which of two stages is asked first."""
    return _BEFORE in question


def by_orders(
    orders: tuple[Order[Stage], ...], travellers: Travellers
) -> Iterable[tuple[tuple[Order[Stage], ...], Travellers]]:
    """The packets, grouped by the orders that are possible for them."""
    groups: dict[tuple[Order[Stage], ...], Travellers] = {}
    for state, packets in travellers.items():
        possible = tuple(order for order in orders if order.may_be(state)) or orders[:1]
        groups.setdefault(possible, Travellers()).gather(state, packets)
    return groups.items()


Ends = Sequence[tuple[PacketState, Fate, Packets]]


class Joined(Generic[Stage, Fate]):
    """What happens to packets in several orders. Packets to which the order makes no difference continue as one."""

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
        """The numbers of packets to which the order makes no difference."""
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
