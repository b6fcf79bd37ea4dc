"""Equal forms are one object, whoever builds them."""

from __future__ import annotations

from collections.abc import Callable

from ipt_explain.model import Command, Hidden, Match, Option, Shape, Target

_shapes: dict[tuple[object, ...], Shape] = {}

Printing = tuple[tuple[str, ...], tuple[int, ...]]


def intern_shape(
    command: Command,
    rulenum_slot: int | None,
    core: tuple[Option, ...],
    matches: tuple[Match, ...],
    target: Target | None,
    printing: Callable[[], Printing],
    hidden: frozenset[Hidden] = frozenset(),
) -> Shape:
    """The shape of this form; `printing` gives literals and layout where it is met for the first time."""
    key = (command, rulenum_slot, core, matches, target, hidden)
    shape = _shapes.get(key)
    if shape is None:
        shape = _shapes[key] = Shape(command, rulenum_slot, core, matches, target, *printing(), hidden)
    return shape
