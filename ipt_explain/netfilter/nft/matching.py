"""Comparisons, and lookups in sets and maps."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ipt_explain.model import nft
from ipt_explain.model.nft.printing import element_text, expression_text, statement_text
from ipt_explain.netfilter.condition import Answer, Branch, Question, ask, decide_own, split
from ipt_explain.netfilter.nft import memory
from ipt_explain.netfilter.nft.chances import element_shares, share_of
from ipt_explain.netfilter.nft.lookups import Elements, elements_of_literal, elements_of_set, parts_of
from ipt_explain.netfilter.nft.values.comparing import compared
from ipt_explain.netfilter.nft.values.constants import datatype_of
from ipt_explain.netfilter.nft.values.kinds import ABSENT, AddressType, Chance
from ipt_explain.netfilter.nft.values.readings import read
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, product
from ipt_explain.netfilter.truth import Truth
from ipt_explain.records import NamedTuple

MOST_POSSIBLE = 16
"""Up to this many elements that a key may equal become one question each; of more, the result is unknown."""


class Found(NamedTuple):
    """What a lookup finds for a share of packets: an element, none, or with `unknown` neither is certain."""

    share: Probability
    state: PacketState
    element: nft.Element | None = None
    unknown: bool = False


class Matcher:
    """Compares values and looks them up. Sets are indexed on first use."""

    def __init__(self) -> None:
        self._named: dict[tuple[nft.Table, str], Elements | None] = {}
        self._literals: dict[int, tuple[nft.SetLiteral, Elements]] = {}

    def match(self, table: nft.Table, match: nft.Match, state: PacketState, bound: Bound) -> Answer:
        """Whether a match holds."""
        left, right, inverted = match.left, match.right, match.operator is nft.Operator.NOT_EQUAL
        if isinstance(right, (nft.SetReference, nft.SetLiteral)):
            reading = read(left, state, bound)
            if isinstance(reading, Chance) and isinstance(right, nft.SetLiteral):
                return _by_chance(reading, match, state)
            return self._in_set(table, match, right, state, bound)
        if isinstance(left, nft.Concatenation):
            single = nft.SetLiteral((nft.Element(right),))
            return self._in_set(table, nft.Match(left, match.operator, single), single, state, bound)
        reading = read(left, state, bound)
        if reading is ABSENT:
            return Truth.NO
        if isinstance(reading, Chance):
            return _by_chance(reading, match, state)
        truth = compared(reading, match.operator, right, datatype_of(left), state)
        if truth is Truth.UNKNOWN and isinstance(reading, AddressType):
            return decide_own(state, reading.address, reading.sent, (right != "local") is not inverted)
        return ask(state, _question(match), inverted) if truth is Truth.UNKNOWN else truth

    def _in_set(
        self, table: nft.Table, match: nft.Match, data: nft.SetData, state: PacketState, bound: Bound
    ) -> Truth | Question:
        inverted = match.operator is nft.Operator.NOT_EQUAL
        if isinstance(data, nft.SetReference) and memory.remembers(table, data, match.left, state, bound.to):
            return Truth.of(not inverted)
        readings = [read(part, state, bound) for part in parts_of(match.left)]
        if ABSENT in readings:
            return Truth.NO
        elements = self.elements(table, data, match.left)
        if elements is None:
            return ask(state, _question(match), inverted)
        if len(readings) == 1 and isinstance(readings[0], AddressType):
            reading = readings[0]
            if_local, if_not = (elements.holds((kind,), state) for kind in ("local", reading.otherwise))
            if if_local is not if_not and Truth.UNKNOWN not in (if_local, if_not):
                return decide_own(state, reading.address, reading.sent, (if_local is Truth.NO) is not inverted)
            return _decided(if_local, match, state)
        return _decided(elements.holds(readings, state), match, state)

    def lookups(
        self, table: nft.Table, key: nft.Expression, data: nft.SetData, state: PacketState, bound: Bound
    ) -> Sequence[Found]:
        """What a map has for a key. The shares sum to 1."""
        readings = [read(part, state, bound) for part in parts_of(key)]
        if ABSENT in readings:
            return [Found(ALWAYS, state)]
        elements = self.elements(table, data, key)
        if elements is None:
            return [Found(ALWAYS, state, unknown=True)]
        if len(readings) == 1 and isinstance(readings[0], Chance):
            return _drawn(readings[0], elements, state)
        possible, certain = elements.find(readings, state)
        chosen = _by_interface(key, possible, state) if isinstance(key, nft.Meta) else None
        if chosen is not None:
            *chosen, other = chosen
            return [*chosen, other._replace(element=certain, unknown=certain is None and not elements.whole)]
        found: list[Found] = []
        share: Probability = ALWAYS
        for number, element in enumerate(possible):
            if number == MOST_POSSIBLE:
                return [*found, Found(share, state, unknown=True)]
            answer = ask(state, f"{expression_text(key)} {element_text(nft.Element(element.key), key)}")
            if answer is Truth.YES:
                return [*found, Found(share, state, element)]
            if isinstance(answer, Question):
                for branch in split((answer,), state):
                    if branch.matches:
                        found.append(Found(product(share, branch.share), branch.state, element))
                    else:
                        rest = branch
                share, state = product(share, rest.share), rest.state
        if certain is None and not elements.whole:
            return [*found, Found(share, state, unknown=True)]
        return [*found, Found(share, state, certain)]

    def values(
        self, table: nft.Table, value: nft.Expression | None, state: PacketState, bound: Bound
    ) -> Sequence[tuple[Found, nft.Expression | None]]:
        """The value that a statement writes: a constant, or from a map or field of the packet. None if the map has
        nothing."""
        if isinstance(value, nft.MapLookup):
            results = self.lookups(table, value.key, value.data, state, bound)
            data = [None if found.element is None else found.element.data for found in results]
            return [(found, None if isinstance(each, nft.Verdict) else each) for found, each in zip(results, data)]
        if isinstance(value, (nft.Meta, nft.Conntrack, nft.Payload, nft.Binary, nft.Numgen, nft.Hash)):
            reading = read(value, state, bound)
            if isinstance(reading, Chance) and reading.count <= MOST_POSSIBLE:
                share = Fraction(1, reading.count)
                return [(Found(share, state), reading.first + number) for number in range(reading.count)]
            if isinstance(reading, (int, str)):
                return [(Found(ALWAYS, state), reading)]
            return [(Found(ALWAYS, state, unknown=reading is not ABSENT), None)]
        return [(Found(ALWAYS, state), value)]

    def elements(self, table: nft.Table, data: nft.SetData, key: nft.Expression) -> Elements | None:
        """The elements of a set; None if the input lacks it."""
        if isinstance(data, nft.SetReference):
            place = table, data.name
            if place not in self._named:
                named = table.sets.get(data.name)
                self._named[place] = None if named is None else elements_of_set(named, key)
            return self._named[place]
        known = self._literals.get(id(data))
        if known is None:
            known = self._literals[id(data)] = data, elements_of_literal(data, key)
        return known[1]


def _by_interface(key: nft.Expression, possible: Sequence[nft.Element], state: PacketState) -> list[Found] | None:
    """What a map has for each of many interfaces, and last for any other; None for other keys. All are one question,
    as a packet has only one of them."""
    from ipt_explain.netfilter.assumptions import FEWEST_AT_ONCE, Assumption, none_of

    texts = [f"{expression_text(key)} {element_text(nft.Element(each.key), key)}" for each in possible]
    if len(texts) < FEWEST_AT_ONCE or any(state.answer(text) is not None for text in texts):
        return None
    share = Fraction(1, len(texts) + 1)
    each = [Assumption(((text, True),), True, share) for text in texts]
    if not all(one.chosen for one in each):
        return None
    names = [name for one in each for name in one.chosen]
    each.append(Assumption(none_of(each[0].flag, names), True, share))
    elements = [*possible, None]
    return [Found(share, state.with_answers((*state.answers, one)), to) for one, to in zip(each, elements)]


def _decided(truth: Truth, match: nft.Match, state: PacketState) -> Truth | Question:
    """Whether a set has a key, as the match's answer: a question if that is unknown."""
    inverted = match.operator is nft.Operator.NOT_EQUAL
    return ask(state, _question(match), inverted) if truth is Truth.UNKNOWN else truth.inverted(inverted)


def _question(match: nft.Match) -> str:
    """The question of a match, without its negation."""
    inverted = match.operator is nft.Operator.NOT_EQUAL
    return statement_text(nft.Match(match.left, nft.Operator.EQUAL, match.right) if inverted else match)


def _by_chance(chance: Chance, match: nft.Match, state: PacketState) -> Answer:
    share = share_of(chance, match.operator, match.right)
    if share is None:
        return ask(state, _question(match))
    if share in (0, 1):
        return Truth.of(share == 1)
    return Branch(share, True, state), Branch(1 - share, False, state)


def _drawn(chance: Chance, elements: Elements, state: PacketState) -> Sequence[Found]:
    return [
        Found(share, state, element, unknown=element is None and not elements.whole)
        for share, element in element_shares(chance, elements.elements)
    ]
