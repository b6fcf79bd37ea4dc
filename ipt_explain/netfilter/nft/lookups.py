"""Lookups in sets and maps: known parts of a key are hashed, unknown ones compared element by element."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.model import nft
from ipt_explain.netfilter.nft.comparing import fits
from ipt_explain.netfilter.nft.constants import DATATYPES, Datatype, bits_of, canonical, datatype_of
from ipt_explain.netfilter.nft.readings import Reading
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.truth import Truth

Found = tuple[tuple[nft.Element, ...], nft.Element | None]
"""Elements that the key may equal, in order, and the element that it equals if it equals none of those."""

_Exact = tuple[object, ...]


class Elements:
    """The elements of one set or map.

    `whole` is False if some are missing or unreadable: the set may have what is not found. `exact` are the elements
    with a single value, by key.
    """

    def __init__(self, elements: Sequence[nft.Element], kinds: Sequence[Datatype], whole: bool) -> None:
        self.elements = elements
        self.whole = whole
        self._kinds = tuple(kinds)
        self.exact: dict[_Exact, nft.Element] = {}
        self._exact_at: dict[int, _Exact] = {}
        self._others: list[int] = []
        self._by_parts: dict[tuple[int, ...], dict[_Exact, list[int]]] = {}
        self._wildcard: nft.Element | None = None
        self._remembered: dict[tuple[Reading, ...], Found] = {}
        for place, element in enumerate(elements):
            self._enter(place, element)

    @property
    def only_exact(self) -> bool:
        """Whether a known key can only equal an exact element."""
        return self.whole and not self._others and self._wildcard is None

    def _enter(self, place: int, element: nft.Element) -> None:
        if element.key is nft.WILDCARD:
            self._wildcard = element
            return
        if isinstance(element.key, nft.Unread):
            self.whole = False
            return
        parts = parts_of(element.key)
        if len(parts) != len(self._kinds):
            self.whole = False
            return
        exact = [self._exact_value(part, kind) for part, kind in zip(parts, self._kinds)]
        if None in exact:
            self._others.append(place)
        else:
            self._exact_at[place] = tuple(exact)
            self.exact.setdefault(tuple(exact), element)

    def _exact_value(self, part: nft.Expression, kind: Datatype) -> object | None:
        """A part as in a reading; None if it has several values or is unreadable."""
        if isinstance(part, (nft.Prefix, nft.Range)):
            return None
        if kind is Datatype.BITS:
            return bits_of(part)
        value = canonical(part, kind)
        return None if kind is Datatype.INTERFACE and (isinstance(value, int) or str(value).endswith("*")) else value

    def find(self, readings: Sequence[Reading], state: PacketState) -> Found:
        """The elements that a key may equal, and the element that it certainly equals; the wildcard comes last."""
        key = tuple(readings)
        known = tuple([part for part, reading in enumerate(key) if isinstance(reading, (int, str, frozenset))])
        if len(known) == len(key):
            element = self.exact.get(key)
            return ((), element) if element is not None else self._compared(self._others, key, state)
        found = self._remembered.get(key)
        if found is None:
            found = self._remembered[key] = self._compared(self._fitting(key, known), key, state)
        return found

    def _fitting(self, key: tuple[Reading, ...], known: tuple[int, ...]) -> Sequence[int]:
        """The places of elements with the known parts of a key, and of those with more than one value."""
        if not known:
            return range(len(self.elements))
        index = self._by_parts.get(known)
        if index is None:
            index = self._by_parts[known] = {}
            for place, exact in self._exact_at.items():
                index.setdefault(tuple([exact[part] for part in known]), []).append(place)
        return sorted([*index.get(tuple([key[part] for part in known]), ()), *self._others])

    def _compared(self, places: Sequence[int], readings: tuple[Reading, ...], state: PacketState) -> Found:
        possible: list[nft.Element] = []
        for element in [self.elements[place] for place in places]:
            truth = self._fits(element, readings, state)
            if truth is Truth.YES:
                return tuple(possible), element
            if truth is Truth.UNKNOWN:
                possible.append(element)
        return tuple(possible), self._wildcard

    def _fits(self, element: nft.Element, readings: tuple[Reading, ...], state: PacketState) -> Truth:
        if element.key is nft.WILDCARD or isinstance(element.key, nft.Unread):
            return Truth.NO
        parts = parts_of(element.key)
        if len(parts) != len(readings):
            return Truth.NO
        truth = Truth.YES
        for reading, part, kind in zip(readings, parts, self._kinds):
            truth &= fits(reading, part, kind, state)
            if truth is Truth.NO:
                break
        return truth


def parts_of(expression: nft.Expression) -> tuple[nft.Expression, ...]:
    """The parts of a concatenation; another expression is its own part."""
    return expression.parts if isinstance(expression, nft.Concatenation) else (expression,)


def elements_of_literal(literal: nft.SetLiteral, key: nft.Expression) -> Elements:
    """The elements of a set written in a rule."""
    return Elements(literal.elements, [datatype_of(part) for part in parts_of(key)], whole=True)


def elements_of_set(named: nft.Set, key: nft.Expression) -> Elements:
    """The elements of a named set. Their kinds come from its types, or if unknown from the expressions looked up."""
    expressions = parts_of(key)
    kinds = [DATATYPES.get(name) for name in named.types]
    if len(kinds) != len(expressions):
        kinds = [None] * len(expressions)
    known = [datatype_of(part) if kind is None else kind for kind, part in zip(kinds, expressions)]
    return Elements(named.elements, known, whole=not named.elided)
