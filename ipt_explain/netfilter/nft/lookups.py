"""Lookups in sets and maps: known parts of a key are hashed, unknown ones compared element by element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

from ipt_explain.columns import column
from ipt_explain.model import nft
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.netfilter.header import parse_ipv4
from ipt_explain.netfilter.nft.values.comparing import fits
from ipt_explain.netfilter.nft.values.constants import DATATYPES, Datatype, bits_of, canonical, datatype_of
from ipt_explain.netfilter.nft.values.intervals import Intervals, intervals_of
from ipt_explain.netfilter.nft.values.kinds import Reading
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Whereabouts

Found = tuple[tuple[nft.Element, ...], nft.Element | None]
"""Elements that the key may equal, in order, and the element that it equals if it equals none of those."""

_Places = tuple[tuple[int, ...], int | None]
"""The same, by their places among the elements."""

_FEW = 4
"""So many elements with several values are compared one by one."""

_Exact = tuple[object, ...]
_Index = dict[_Exact, list[int]]


class Elements:
    """The elements of one set or map.

    `whole` is False if some are missing or unreadable: the set may have what is not found.
    """

    def __init__(self, elements: Sequence[nft.Element], kinds: Sequence[Datatype], whole: bool) -> None:
        self.elements = elements
        self.whole = whole
        self._exact: dict[_Exact, int] | None = None
        self._kinds = tuple(kinds)
        self._others: list[int] = []
        self._by_parts: dict[tuple[object, ...], _Index] = {}
        self._wildcard: int | None = None
        self._remembered: dict[tuple[Reading, ...], _Places] = {}
        keys = column(elements, "key")
        self._places: Sequence[int] = range(len(elements))
        if not isinstance(keys, nft.Concatenations) or len(keys.parts) != len(self._kinds):
            self._places = list(self._readable(keys))
            if len(self._places) < len(keys):
                keys = [keys[place] for place in self._places]
        self._parts = nft.in_parts(keys, len(self._kinds)) or ()
        self._columns: list[Sequence[object]] = []
        for number, part in enumerate(self._parts):
            same = next((other for other in range(number) if self._parts[other] is part), number)
            known = same < number and self._kinds[same] is self._kinds[number]
            self._columns.append(self._columns[same] if known else self._exact_column(part, self._kinds[number]))
        if any(None in each for each in self._columns):
            rows = zip(self._places, zip(*self._columns))
            self._others = [place for place, exact in rows if None in exact]

    @property
    def exact(self) -> dict[_Exact, int]:
        """The places of the elements with a single value, by key."""
        if self._exact is None:
            self._exact = {}
            for place, exact in zip(self._places, zip(*self._columns)):
                if not (self._others and None in exact):
                    self._exact.setdefault(exact, place)
        return self._exact

    @cached_property
    def intervals(self) -> Intervals | None:
        """The elements, where keys have one part; None if they must be compared one by one."""
        return self._intervals(wide=False)

    @cached_property
    def wide_intervals(self) -> Intervals | None:
        """The same without elements that have only one value."""
        return self._intervals(wide=True)

    def _intervals(self, wide: bool) -> Intervals | None:
        if len(self._kinds) != 1 or not self._columns:
            return None
        rows = zip(self._places, self._parts[0], self._columns[0])
        return intervals_of([row for row in rows if not (wide and row[2] is not None)], self._kinds[0])


    def holds(self, readings: Sequence[Reading], state: PacketState) -> Truth:
        """Whether the set has a key."""
        key = tuple(readings)
        if len(self._places) > _FEW and self._wildcard is None and self.whole and isinstance(key[0], Whereabouts):
            intervals = self.wide_intervals if key[0].ordinary else self.intervals
            if intervals is not None:
                # No other element has all of what one has a part of.
                fitting = (self._fits(self.elements[place], key, state) for place in intervals.meeting(key[0]))
                return next((truth for truth in fitting if truth is not Truth.NO), Truth.NO)
        possible, certain = self.places(key, state)
        if certain is not None:
            return Truth.YES
        return Truth.UNKNOWN if possible or not self.whole else Truth.NO

    def _readable(self, keys: Sequence[nft.Expression]) -> Iterator[int]:
        """The places of keys that have as many parts as the set's; notes the wildcard, and whether there are others."""
        for place, key in enumerate(keys):
            if key is nft.WILDCARD:
                self._wildcard = place
            elif isinstance(key, nft.Unread) or len(parts_of(key)) != len(self._kinds):
                self.whole = False
            else:
                yield place

    @property
    def only_exact(self) -> bool:
        """Whether a known key can only equal an exact element."""
        return self.whole and not self._others and self._wildcard is None

    @property
    def data(self) -> Sequence[nft.Verdict | nft.Expression | None]:
        """What the elements lead to, by place."""
        return column(self.elements, "data")

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
        possible, certain = self.places(tuple(readings), state)
        elements = self.elements
        return tuple([elements[place] for place in possible]), None if certain is None else elements[certain]

    def places(self, key: tuple[Reading, ...], state: PacketState) -> _Places:
        """The same, by their places."""
        known = known_parts(key)
        if len(known) == len(key):
            place = self.exact.get(key)
            if place is not None or not self._others:
                return (), self._wildcard if place is None else place
            if len(self._others) > _FEW and isinstance(key[0], int) and self.wide_intervals is not None:
                place = self.wide_intervals.find(key[0])
                return (), self._wildcard if place is None else place
            found = self._remembered.get(key)
            if found is None:
                found = self._remembered[key] = self._compared(self._others, key, state)
            return found
        found = self._remembered.get(key)
        if found is None:
            places = self._index(key, known, state).get(tuple([key[part] for part in known]), ())
            found = self._remembered[key] = self._compared(sorted([*places, *self._others]), key, state)
        return found

    def fitting(self, columns: Sequence[Sequence[Reading]], state: PacketState) -> Sequence[bool] | None:
        """Which keys, given their parts in columns, may equal exact elements; None if none may. What is unknown of them
        is the same in all."""
        key = tuple([column[0] for column in columns])
        known = known_parts(key)
        index = self._index(key, known, state)
        if not index:
            return None
        parts = zip(*[columns[part] for part in known]) if known else [()] * len(columns[0])
        return [part in index for part in parts]

    def _index(self, key: tuple[Reading, ...], known: tuple[int, ...], state: PacketState) -> _Index:
        """The places of the exact elements that what is unknown of a key may equal, by the values of its known
        parts."""
        unknown = [part for part in range(len(key)) if part not in known]
        about = (known, *[key[part] for part in unknown])
        index = self._by_parts.get(about)
        if index is None:
            index = self._by_parts[about] = {}
            fitting = [self._may_equal(key[part], part, state) for part in unknown] if self._columns else [()]
            if all(fitting):
                for place, *exact in zip(self._places, *self._columns):
                    if None not in exact and all(exact[part] in fits for part, fits in zip(unknown, fitting)):
                        index.setdefault(tuple([exact[part] for part in known]), []).append(place)
        return index

    def _may_equal(self, reading: Reading, part: int, state: PacketState) -> AbstractSet[object]:
        """The values of a part that an unknown reading may equal."""
        kind, exact = self._kinds[part], self._columns[part]
        if kind is not Datatype.ADDRESS or not isinstance(reading, Whereabouts):
            constants = dict(zip(exact, self._parts[part]))
            return {each for each in constants if fits(reading, constants[each], kind, state) is not Truth.NO}
        if reading.ordinary:
            return frozenset()
        whole = (1 << ADDRESS_BITS[state.connection.family]) - 1
        addresses = frozenset(each for each in exact if isinstance(each, int)) - reading.apart
        return {each for each in addresses if reading.lies_in(each, whole) is not Truth.NO}

    def _compared(self, places: Sequence[int], readings: tuple[Reading, ...], state: PacketState) -> _Places:
        possible: list[int] = []
        for place in places:
            truth = self._fits(self.elements[place], readings, state)
            if truth is Truth.YES:
                return tuple(possible), place
            if truth is Truth.UNKNOWN:
                possible.append(place)
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
