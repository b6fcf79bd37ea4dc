"""An index of one set: one lookup per mask in it, whatever its size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from ipt_explain.model.node.ipsets import IpSet
from ipt_explain.netfilter.ipsets.elements import Key, MaskedElement, compiled
from ipt_explain.netfilter.ipsets.exact import DestinationTable, ExactElements
from ipt_explain.netfilter.ipsets.shown import Shown
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Whereabouts

_MOST_REMEMBERED = 256
_MOST_TABLES = 8


class SetIndex:
    """The elements of a set of any type except `list:set`. Unreadable elements make the set incomplete."""

    def __init__(self, found: IpSet) -> None:
        self.set = found
        self.complete = found.complete
        self._compiled = False
        self._elements: list[MaskedElement] = []
        self._by_masks: list[tuple[tuple[int, ...], dict[tuple[Key, ...], bool]]] = []
        self._by_key: list[dict[Key, list[MaskedElement]] | None] = [None] * len(found.dimensions)
        self._possible: dict[tuple[int, Whereabouts], list[MaskedElement]] = {}
        self._tables: dict[tuple[tuple[Shown | None, ...], int], DestinationTable | None] = {}

    @cached_property
    def _exact(self) -> ExactElements | None:
        return ExactElements.of(self.set)

    def by_destination(self, values: tuple[Shown | None, ...], port_of: int) -> DestinationTable | None:
        """A table for packets with these values, None for each dimension that is their destination; None if the set has
        networks or the like."""
        key = values, port_of
        if key not in self._tables:
            if len(self._tables) >= _MOST_TABLES:
                self._tables.clear()
            self._tables[key] = None if self._exact is None else self._exact.by_destination(values, port_of)
        return self._tables[key]

    def _compile(self) -> None:
        self._compiled = True
        if self._exact is not None:
            self._elements = self._exact.elements()
            if self._elements:
                self._by_masks = [(self._elements[0].masks, {each.keys: True for each in self._elements})]
            return
        by_masks: dict[tuple[int, ...], dict[tuple[Key, ...], bool]] = {}
        for element in self.set.elements:
            try:
                one = compiled(self.set, element)
            except ValueError:
                self.complete = False
                continue
            self._elements.append(one)
            by_masks.setdefault(one.masks, {})[one.keys] = not one.nomatch
        # In the kernel's order: narrow networks before wide ones, the first dimension before the next.
        self._by_masks = sorted(by_masks.items(), key=lambda item: item[0], reverse=True)

    def holds(self, values: Sequence[Shown]) -> Truth:
        """Whether the set has a packet's values, one per dimension."""
        if Truth.NO in values:
            return Truth.NO
        if self._exact is not None and any(isinstance(each, Whereabouts) and each.ordinary for each in values):
            return Truth.NO if self.complete else Truth.UNKNOWN  # no single address is meant
        if not self._compiled:
            self._compile()
        held = self._look_up(values) if all(map(_is_known, values)) else self._weigh(values)
        return Truth.UNKNOWN if held is Truth.NO and not self.complete else held

    def _look_up(self, values: Sequence[Shown]) -> Truth:
        for masks, elements in self._by_masks:
            key = tuple([_masked(value, mask) for value, mask in zip(values, masks)])
            held = elements.get(key)  # type: ignore[arg-type]  # all values are known
            if held is not None:
                return Truth.of(held)
        return Truth.NO

    def _weigh(self, values: Sequence[Shown]) -> Truth:
        """The same if a value is unknown: compares each element that may match."""
        held, excepted = Truth.NO, False
        for element in self._candidates(values):
            fits = _fits(element, values)
            if fits is Truth.NO:
                continue
            if element.nomatch:
                excepted = True
            elif held is not Truth.YES:
                held = fits
        return Truth.UNKNOWN if held is Truth.YES and excepted else held

    def _candidates(self, values: Sequence[Shown]) -> Sequence[MaskedElement]:
        """A small selection with all elements that may match."""
        few: Sequence[MaskedElement] = self._elements
        for place, value in enumerate(values):
            pool: Sequence[MaskedElement] = self._elements
            if isinstance(value, Whereabouts):
                pool = self._possible_for(place, value)
            elif _is_known(value):
                pool = self._with_key(place, value)
            if len(pool) < len(few):
                few = pool
        return few

    def _with_key(self, place: int, key: Shown) -> Sequence[MaskedElement]:
        """The elements with this key in one dimension, or all elements if the dimension has networks."""
        by_key = self._by_key[place]
        if by_key is None:
            by_key = self._by_key[place] = {}
            if len({element.masks[place] for element in self._elements}) <= 1:
                for element in self._elements:
                    by_key.setdefault(element.keys[place], []).append(element)
        if not by_key:
            return self._elements
        mask = self._elements[0].masks[place]
        return by_key.get(_masked(key, mask), ())  # type: ignore[arg-type]  # it is known

    def _possible_for(self, place: int, address: Whereabouts) -> Sequence[MaskedElement]:
        found = self._possible.get((place, address))
        if found is None:
            if len(self._possible) >= _MOST_REMEMBERED:
                self._possible.clear()
            found = self._possible[place, address] = list(_meant(self._elements, place, address))
        return found


def _meant(elements: Iterable[MaskedElement], place: int, address: Whereabouts) -> Iterable[MaskedElement]:
    return (element for element in elements if _part_fits(element, place, address) is not Truth.NO)


def _is_known(value: Shown) -> bool:
    if isinstance(value, tuple):
        return value[1] is not None
    return not isinstance(value, (Whereabouts, Truth))


def _masked(value: Shown, mask: int) -> Shown:
    return value & mask if isinstance(value, int) else value


def _fits(element: MaskedElement, values: Sequence[Shown]) -> Truth:
    whole = Truth.YES
    for place, value in enumerate(values):
        whole = whole & _part_fits(element, place, value)
        if whole is Truth.NO:
            break
    return whole


def _part_fits(element: MaskedElement, place: int, value: Shown) -> Truth:
    key, mask = element.keys[place], element.masks[place]
    if isinstance(value, Truth):
        return value
    if isinstance(value, Whereabouts):
        return value.lies_in(key, mask) if isinstance(key, int) else Truth.NO
    if isinstance(value, tuple) and value[1] is None:
        return Truth.UNKNOWN if isinstance(key, tuple) and key[0] == value[0] else Truth.NO
    return Truth.of(key == _masked(value, mask))
