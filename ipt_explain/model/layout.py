"""Layouts: the shapes of a chain's rules, in order, which chains of one kind share.

A dump of 100,000 chains has a few dozen layouts. Answer a question such as "which rule translates, and where is its
destination?" once per layout, keep the places, and read them from every chain of the layout:

    place = layout.place(1, layout.shapes[1].target_option("--to-destination"))
    destinations = column(chains, place)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from weakref import WeakValueDictionary

from ipt_explain.model.shape import Option, Shape, TargetKind


class Layout:
    """The shapes of a chain's rules. Equal layouts are one object, so layouts compare by identity.

    A chain keeps the words of all its rules in one tuple, `Chain.values`: first its name, then each rule's values from
    slot 1 on. Slot `s` of rule `k` (from 0) is value `offsets[k] + s`; the last offset is where the rules end.
    """

    __slots__ = ("__weakref__", "offsets", "shapes")

    shapes: tuple[Shape, ...]
    offsets: tuple[int, ...]

    def __init__(self, shapes: tuple[Shape, ...]) -> None:
        self.shapes = shapes
        own = {shape: shape.width - 1 for shape in set(shapes)}  # the chain's name is stored once
        self.offsets = tuple(accumulate([own[shape] for shape in shapes], initial=0))

    @classmethod
    def of(cls, shapes: tuple[Shape, ...]) -> Layout:
        """The layout of rules with these shapes."""
        layout = _layouts.get(shapes)
        if layout is None:
            layout = _layouts[shapes] = cls(shapes)
        return layout

    def __len__(self) -> int:
        return len(self.shapes)

    def __repr__(self) -> str:
        return f"<Layout of {len(self.shapes)} rules>"

    def numbers(self) -> Mapping[Shape, Sequence[int]]:
        """The rules of each shape, by number."""
        found: dict[Shape, list[int]] = defaultdict(list)
        for number, shape in enumerate(self.shapes):
            found[shape].append(number)
        return found

    def place(self, rule: int, option: Option | None) -> int | None:
        """The place in `Chain.values` of the first argument of rule `rule`'s option; None without such an argument."""
        return None if option is None or not option.slots else self.offsets[rule] + option.slots[0]

    def target_place(self, rule: int) -> int | None:
        """The place in `Chain.values` of the chain that rule `rule` jumps or goes to; None for a target that is part of
        the shape (`shape.target.name`) and for a rule without target.
        """
        target = self.shapes[rule].target
        return None if target is None or target.slot is None else self.offsets[rule] + target.slot

    def is_goto(self, rule: int) -> bool:
        """Whether a packet does not return after rule `rule` (`-g`)."""
        target = self.shapes[rule].target
        return target is not None and target.kind is TargetKind.GOTO


_layouts: WeakValueDictionary[tuple[Shape, ...], Layout] = WeakValueDictionary()
EMPTY = Layout.of(())
"""The layout of a chain without rules."""
