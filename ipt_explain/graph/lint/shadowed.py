"""Rules that no packet reaches because an earlier rule of their chain takes every packet that they match."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import TypeAlias

from ipt_explain.graph.never_returning import FINAL_TARGETS, Endings
from ipt_explain.model import Chain, Command, Layout, Rule, Ruleset, Shape, TargetKind
from ipt_explain.model.by_shape import ByLayout, SameLayout, chains_in_order
from ipt_explain.netfilter.certainty.containment import Conditions, Nesting, contains, may_contain, shape_conditions
from ipt_explain.records import Record, field

# Rules beyond this limit are not compared: hostile chains may have any number of different forms.
_MAX_WIDE = 64
_MAX_MASKS = 64
_MAX_COMPARISONS = 4_000_000

_Value: TypeAlias = tuple[Nesting, Hashable]


class Shadow(Record):
    """A rule and the later rules of its chain that it hides, which can never match. `same_effect`: they all do the same
    as the rule."""

    table: str
    chain: str
    rule: Rule
    hidden: tuple[Rule, ...]
    same_effect: bool


def find_shadows(ruleset: Ruleset, chains: ByLayout) -> Iterator[Shadow]:
    """All rules of a ruleset that hide others, in the order of the text."""
    for table, layouts in chains.items():
        yield from _Finder(ruleset, table).find(layouts)


class _Seen(Record, frozen=False):
    """Rules of one shape seen so far in a chain: by their exact values and masks, and those with wider values."""

    narrow: dict[Hashable, Rule] = field(default_factory=dict)
    masks: set[tuple[int, ...]] = field(default_factory=set)
    wide: list[Rule] = field(default_factory=list)


class _Finder:
    """Searches one table. Decisions that depend only on shapes are made once per pair of shapes."""

    def __init__(self, ruleset: Ruleset, name: str) -> None:
        self._endings = Endings(ruleset, name)
        self._name = name
        self._conditions: dict[Shape, Conditions] = {}
        self._pairs: dict[tuple[Shape, Shape], bool] = {}
        self._final: dict[Shape, bool] = {}

    def find(self, layouts: Mapping[Layout, SameLayout]) -> Iterator[Shadow]:
        suspects = [alike for layout, alike in layouts.items() if self._could_hide(layout.shapes)]
        for chain in chains_in_order(suspects):
            if not self._are_distinct(chain):
                yield from self._in_chain(chain)

    def _could_hide(self, shapes: tuple[Shape, ...]) -> bool:
        """Whether one rule may hide another, judged by shapes and order: false for most chains."""
        first: dict[Shape, int] = {}
        last: dict[Shape, int] = {}
        for index, shape in enumerate(shapes):
            first.setdefault(shape, index)
            last[shape] = index
        if len(first) * len(shapes) > _MAX_COMPARISONS:
            return False
        return all(shape.command is Command.APPEND for shape in first) and any(
            first[wide] < last[narrow] and self._may_hide(wide, narrow) for wide in first for narrow in last
        )

    def _may_hide(self, wide: Shape, narrow: Shape) -> bool:
        known = self._pairs.get((wide, narrow))
        if known is None:
            known = self._pairs[wide, narrow] = self._takes_packets(wide) and may_contain(
                self._of(wide), self._of(narrow)
            )
        return known

    def _are_distinct(self, chain: Chain) -> bool:
        """Whether all rules match different hosts and ports, spelled as iptables-save does, so that none hides another.
        The long chains of a node are like this. True is certain, False is not."""
        numbers = chain.layout.numbers()
        dimensions = {shape: self._of(shape).by_dimension.keys() for shape in numbers}
        if any(
            dimensions[wide] != dimensions[narrow] and self._may_hide(wide, narrow)
            for wide in numbers
            for narrow in numbers
        ):
            return False
        found: list[tuple[str, ...]] = []
        for shape, same in numbers.items():
            limits = _plain_limits(self._of(shape))
            if limits is None:
                return False
            starts = [chain.layout.offsets[number] for number in same]
            columns = [chain.at_all([start + slot for start in starts]) for slot, _ in limits]
            if not all(map(_are_plain, columns, limits)):
                return False
            found += zip(*columns) if limits else repeat((), len(same))
        return len(set(found)) == len(found)

    def _takes_packets(self, shape: Shape) -> bool:
        """Whether rules of a shape may keep packets from the rest of the chain: final targets, gotos, and jumps, which
        need a closer look."""
        known = self._final.get(shape)
        if known is None:
            target = shape.target
            known = self._final[shape] = target is not None and (
                target.kind is TargetKind.GOTO or target.slot is not None or target.name in FINAL_TARGETS
            )
        return known

    def _of(self, shape: Shape) -> Conditions:
        conditions = self._conditions.get(shape)
        if conditions is None:
            conditions = self._conditions[shape] = shape_conditions(shape)
        return conditions

    def _in_chain(self, chain: Chain) -> Iterator[Shadow]:
        seen: dict[Shape, _Seen] = {}
        hidden: dict[Rule, list[Rule]] = {}
        for rule in chain.rules:
            values = self._values(rule)
            cause = self._cause(rule, values, seen)
            if cause is not None:
                hidden.setdefault(cause, []).append(rule)
            elif values is not None and self._takes_packets(rule.shape) and self._of(rule.shape).fixed:
                self._remember(rule, list(values.values()), seen.setdefault(rule.shape, _Seen()))
        for cause, rules in hidden.items():
            same = all(_effect(rule) == _effect(cause) for rule in rules)
            yield Shadow(self._name, chain.name, cause, tuple(rules), same)

    def _values(self, rule: Rule) -> dict[str, _Value] | None:
        """The rule's limits by dimension; None if one cannot be read."""
        constraints = self._of(rule.shape).by_dimension
        try:
            return {name: (constraint.kind, constraint.value(rule)) for name, constraint in constraints.items()}
        except ValueError:
            return None

    def _cause(self, rule: Rule, values: dict[str, _Value] | None, seen: Mapping[Shape, _Seen]) -> Rule | None:
        """The earlier rule that takes all packets of this one."""
        for shape, earlier in seen.items():
            if values is not None and self._may_hide(shape, rule.shape):
                conditions = self._of(shape)
                for candidate in _candidates([values[name] for name in conditions.by_dimension], earlier):
                    covers = contains(conditions, candidate, self._of(rule.shape), rule)
                    if covers and self._endings.ends(candidate):
                        return candidate
        return None

    def _remember(self, rule: Rule, values: list[_Value], earlier: _Seen) -> None:
        negated = any(constraint.option.negated for constraint in self._of(rule.shape).by_dimension.values())
        masks = tuple([value[1] for kind, value in values if kind is Nesting.ADDRESS and isinstance(value, tuple)])
        narrow = not negated and all(_is_narrow(kind, value) for kind, value in values)
        if narrow and (masks in earlier.masks or len(earlier.masks) < _MAX_MASKS):
            earlier.masks.add(masks)
            earlier.narrow.setdefault(_key(values, masks), rule)
        elif len(earlier.wide) < _MAX_WIDE and self._endings.ends(rule):
            earlier.wide.append(rule)


_Limit: TypeAlias = tuple[int, Nesting]

# Values that can be compared as text, since no two mean the same.
_WORDS = frozenset({"tcp", "udp", "sctp", "LOCAL"})


def _plain_limits(conditions: Conditions) -> tuple[_Limit, ...] | None:
    """The slot and kind of each limit, by dimension; None if one is negated or not a single value."""
    limits = sorted(conditions.by_dimension.items())
    if any(constraint.option.negated or len(constraint.option.slots) != 1 for _, constraint in limits):
        return None
    return tuple((constraint.option.slots[0], constraint.kind) for _, constraint in limits)


def _are_plain(values: Sequence[str], limit: _Limit) -> bool:
    kind = limit[1]
    if kind is Nesting.ADDRESS:
        return all(map(str.endswith, values, repeat(("/32", "/128"))))
    if kind is Nesting.PORTS:
        return all(value.isdecimal() and value[0] != "0" for value in set(values))
    return _WORDS.issuperset(values)


def _candidates(values: Sequence[_Value], earlier: _Seen) -> Iterator[Rule]:
    """Earlier rules that may contain these values."""
    for masks in tuple(earlier.masks):
        candidate = earlier.narrow.get(_key(values, masks))
        if candidate is not None:
            yield candidate
    yield from earlier.wide


def _key(values: Iterable[_Value], masks: tuple[int, ...]) -> Hashable:
    """What rules with these masks have in common with every rule that they contain."""
    remaining = iter(masks)
    return masks, tuple(
        value[0] & next(remaining) if kind is Nesting.ADDRESS and isinstance(value, tuple) else value
        for kind, value in values
    )


def _is_narrow(kind: Nesting, value: Hashable) -> bool:
    """Whether only an equal value lies within this one. Addresses do not count: their masks are looked up."""
    if kind is Nesting.PORTS and isinstance(value, tuple):
        return len(value) == 1 and value[0][0] == value[0][1]
    if kind is Nesting.STATES and isinstance(value, frozenset):
        return len(value) == 1
    return not (kind is Nesting.INTERFACE and isinstance(value, str) and value.endswith("+"))


def _effect(rule: Rule) -> Hashable:
    """What a rule does with the packets that it matches."""
    target = rule.shape.target
    options = () if target is None else tuple((option.name, rule.arguments(option)) for option in target.options)
    return rule.target, rule.is_goto, options
