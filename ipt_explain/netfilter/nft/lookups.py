"""Lookups in sets and maps: known parts of a key are hashed, unknown ones compared element by element."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.model import nft
from ipt_explain.netfilter.header import parse_ipv4
from ipt_explain.netfilter.nft.comparing import fits
from ipt_explain.netfilter.nft.constants import DATATYPES, Datatype, bits_of, canonical, datatype_of
from ipt_explain.netfilter.nft.readings import Reading
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Whereabouts

Found = tuple[tuple[nft.Element, ...], nft.Element | None]
"""Elements that the key may equal, in order, and the element that it equals if it equals none of those."""

_Exact = tuple[object, ...]
_Index = dict[_Exact, list[int]]


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
        self._by_parts: dict[tuple[object, ...], _Index] = {}
        self._wildcard: nft.Element | None = None
        self._remembered: dict[tuple[Reading, ...], Found] = {}
        places: list[int] = []
        keys: list[tuple[nft.Expression, ...]] = []
        for place, element in enumerate(elements):
            key = parts_of(element.key)
            if element.key is nft.WILDCARD:
                self._wildcard = element
            elif isinstance(element.key, nft.Unread) or len(key) != len(self._kinds):
                self.whole = False
            else:
                places.append(place)
                keys.append(key)
        columns = map(self._exact_column, zip(*keys), self._kinds)
        for place, exact in zip(places, zip(*columns)):
            if None in exact:
                self._others.append(place)
            else:
                self._exact_at[place] = exact
                self.exact.setdefault(exact, elements[place])

    @property
    def only_exact(self) -> bool:
        """Whether a known key can only equal an exact element."""
        return self.whole and not self._others and self._wildcard is None

    def _exact_column(self, parts: Sequence[nft.Expression], kind: Datatype) -> Sequence[object]:
        """One part of all keys as in readings; None for those that have several values or are unreadable."""
        texts = [part if isinstance(part, str) else None for part in parts] if kind is Datatype.ADDRESS else ()
        addresses = parse_ipv4(texts)
        if addresses:
            return addresses
        known = {part: self._exact_value(part, kind) for part in set(parts)}
        return [known[part] for part in parts]

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
        if len(known_parts(key)) == len(key):
            element = self.exact.get(key)
            return ((), element) if element is not None else self._compared(self._others, key, state)
        found = self._remembered.get(key)
        if found is None:
            known = known_parts(key)
            places = self._index(key, known, state).get(tuple([key[part] for part in known]), ())
            found = self._remembered[key] = self._compared(sorted([*places, *self._others]), key, state)
        return found

    def fitting(self, keys: Sequence[tuple[Reading, ...]], state: PacketState) -> Sequence[bool]:
        """Which keys may equal exact elements. What is unknown of them is the same in all."""
        known = known_parts(keys[0])
        index = self._index(keys[0], known, state)
        return [bool(index) and tuple([key[part] for part in known]) in index for key in keys]

    def _index(self, key: tuple[Reading, ...], known: tuple[int, ...], state: PacketState) -> _Index:
        """The places of the exact elements that what is unknown of a key may equal, by the values of its known
        parts."""
        unknown = [part for part in range(len(key)) if part not in known]
        about = (known, *[key[part] for part in unknown])
        index = self._by_parts.get(about)
        if index is None:
            index = self._by_parts[about] = {}
            for place, exact in () if self._misses(key, unknown) else self._exact_at.items():
                parts = parts_of(self.elements[place].key)
                if all(fits(key[part], parts[part], self._kinds[part], state) is not Truth.NO for part in unknown):
                    index.setdefault(tuple([exact[part] for part in known]), []).append(place)
        return index

    def _misses(self, key: tuple[Reading, ...], unknown: Sequence[int]) -> bool:
        """Whether a key has an address that no single one is meant for."""
        addresses = [key[part] for part in unknown if self._kinds[part] is Datatype.ADDRESS]
        return any(isinstance(each, Whereabouts) and each.ordinary for each in addresses)

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


def known_parts(key: tuple[Reading, ...]) -> tuple[int, ...]:
    """Which parts of a key are known."""
    return tuple([part for part, reading in enumerate(key) if isinstance(reading, (int, str, frozenset))])


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
