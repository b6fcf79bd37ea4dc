"""Rules that no packet can reach, because an earlier rule of their chain takes every packet that they match."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ipt_explain.analyzers.endings import FINAL_TARGETS, Endings
from ipt_explain.model import Chain, Command, Rule, Ruleset, Shape, Table, TargetKind
from ipt_explain.netfilter.containment import Conditions, Constraint, Kind, conditions_of, contains, may_contain

# Chains of hostile size may hold more forms of rules than are worth comparing; what lies beyond these is not looked at.
_MAX_WIDE = 64
_MAX_MASKS = 64
# Chains of up to so many rules are remembered by their sequence of shapes: most dumps have few.
_MAX_FORM = 32


_Value: TypeAlias = tuple[Kind, Hashable]


@dataclass(frozen=True, slots=True)
class Shadow:
    """A rule and what it hides: later rules of its chain that can never match. `same_effect`: all do what the rule
    does.
    """

    table: str
    chain: str
    rule: Rule
    hidden: tuple[Rule, ...]
    same_effect: bool


def find_shadows(ruleset: Ruleset) -> tuple[Shadow, ...]:
    """All rules of a ruleset that hide others, in the order of the text."""
    return tuple(shadow for name, table in ruleset.tables.items() for shadow in _Finder(ruleset, name, table).find())


@dataclass(slots=True)
class _Seen:
    """Rules of one shape met so far in a chain: by their exact values and masks, and those with wider values."""

    narrow: dict[Hashable, Rule] = field(default_factory=dict)
    masks: set[tuple[int, ...]] = field(default_factory=set)
    wide: list[Rule] = field(default_factory=list)


class _Finder:
    """Looks through one table; what can be told from shapes alone is told once for each pair of them."""

    def __init__(self, ruleset: Ruleset, name: str, table: Table) -> None:
        self._endings = Endings(ruleset, name)
        self._name = name
        self._table = table
        self._conditions: dict[Shape, Conditions] = {}
        self._pairs: dict[tuple[Shape, Shape], bool] = {}
        self._final: dict[Shape, bool] = {}
        self._forms: dict[tuple[Shape, ...], bool] = {}

    def find(self) -> Iterator[Shadow]:
        for chain in self._table.chains.values():
            if len(chain.rules) > 1 and self._worth_a_look(chain.rules):
                yield from self._in_chain(chain)

    def _worth_a_look(self, rules: tuple[Rule, ...]) -> bool:
        """Whether the forms of the rules and their order allow that one hides another: few chains' do."""
        shapes = tuple([rule.shape for rule in rules])
        if len(shapes) > _MAX_FORM:
            return self._could_hide(shapes)
        known = self._forms.get(shapes)
        if known is None:
            known = self._forms[shapes] = self._could_hide(shapes)
        return known

    def _could_hide(self, shapes: tuple[Shape, ...]) -> bool:
        first: dict[Shape, int] = {}
        last: dict[Shape, int] = {}
        for index, shape in enumerate(shapes):
            first.setdefault(shape, index)
            last[shape] = index
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

    def _takes_packets(self, shape: Shape) -> bool:
        """Whether rules of a shape may keep packets from the rest of the chain: final targets, gotos, and jumps (to be
        looked at).
        """
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
            conditions = self._conditions[shape] = conditions_of(shape)
        return conditions

    def _in_chain(self, chain: Chain) -> Iterator[Shadow]:
        seen: dict[Shape, _Seen] = {}
        hidden: dict[Rule, list[Rule]] = {}
        for rule in chain.rules:
            cause = self._cause(rule, seen)
            if cause is not None:
                hidden.setdefault(cause, []).append(rule)
            elif self._takes_packets(rule.shape) and self._of(rule.shape).fixed:
                self._remember(rule, seen.setdefault(rule.shape, _Seen()))
        for cause, rules in hidden.items():
            same = all(_effect(rule) == _effect(cause) for rule in rules)
            yield Shadow(self._name, chain.name, cause, tuple(rules), same)

    def _cause(self, rule: Rule, seen: Mapping[Shape, _Seen]) -> Rule | None:
        """The earlier rule that takes all packets of this one."""
        for shape, earlier in seen.items():
            if self._may_hide(shape, rule.shape):
                for candidate in self._candidates(shape, earlier, rule):
                    covers = contains(self._of(shape), candidate, self._of(rule.shape), rule)
                    if covers and self._endings.ends(candidate):
                        return candidate
        return None

    def _candidates(self, shape: Shape, earlier: _Seen, rule: Rule) -> Iterable[Rule]:
        dimensions = self._of(shape).by_dimension
        own = self._of(rule.shape).by_dimension
        values = _values([own[name] for name in dimensions], rule)
        if values is None:
            return
        for masks in list(earlier.masks):
            candidate = earlier.narrow.get(_key(values, masks))
            if candidate is not None:
                yield candidate
        yield from earlier.wide

    def _remember(self, rule: Rule, earlier: _Seen) -> None:
        constraints = list(self._of(rule.shape).by_dimension.values())
        values = _values(constraints, rule)
        if values is None:
            return
        negated = any(constraint.option.negated for constraint in constraints)
        narrow = not negated and all(_is_narrow(kind, value) for kind, value in values)
        masks = _masks(values)
        if narrow and (masks in earlier.masks or len(earlier.masks) < _MAX_MASKS):
            earlier.masks.add(masks)
            earlier.narrow.setdefault(_key(values, masks), rule)
        elif len(earlier.wide) < _MAX_WIDE and self._endings.ends(rule):
            earlier.wide.append(rule)


def _values(constraints: Sequence[Constraint], rule: Rule) -> list[_Value] | None:
    """The values of a rule; None if one cannot be read."""
    try:
        return [(constraint.kind, constraint.value(rule)) for constraint in constraints]
    except ValueError:
        return None


def _key(values: Iterable[_Value], masks: tuple[int, ...]) -> Hashable:
    """What rules with these masks have in common with every rule that they contain."""
    remaining = iter(masks)
    return masks, tuple(
        value[0] & next(remaining) if kind is Kind.ADDRESS and isinstance(value, tuple) else value
        for kind, value in values
    )


def _masks(values: Iterable[_Value]) -> tuple[int, ...]:
    return tuple(value[1] for kind, value in values if kind is Kind.ADDRESS and isinstance(value, tuple))


def _is_narrow(kind: Kind, value: Hashable) -> bool:
    """Whether only an equal value lies within this one, but for addresses, whose masks are looked up."""
    if kind is Kind.PORTS and isinstance(value, tuple):
        return len(value) == 1 and value[0][0] == value[0][1]
    if kind is Kind.STATES and isinstance(value, frozenset):
        return len(value) == 1
    return not (kind is Kind.INTERFACE and isinstance(value, str) and value.endswith("+"))


def _effect(rule: Rule) -> Hashable:
    """What a rule does with the packets that it matches."""
    target = rule.shape.target
    options = () if target is None else tuple((option.name, rule.arguments(option)) for option in target.options)
    return rule.target, rule.is_goto, options
