"""Rules whose conditions no packet can match, and conditions that every packet matches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from ipt_explain.model import Option, Rule, Shape
from ipt_explain.netfilter.certainty.containment import (
    EXCLUSIVE_STATES,
    Constraint,
    Nesting,
    apart,
    constraints_of,
    holds,
)
from ipt_explain.netfilter.header import HIGHEST_PORT, network_bits, parse_range
from ipt_explain.netfilter.marks import parse_mark
from ipt_explain.netfilter.probability import SCALE, stored
from ipt_explain.records import Record


class Certainty(Record):
    """A condition that does not depend on the packet: `matches` always or never, because of `options`."""

    matches: bool
    options: tuple[Option, ...]
    why: str


def deciding_slots(shape: Shape) -> tuple[int, ...]:
    """The slots whose values decide whether a rule of a shape has such a condition; most shapes have none."""
    options = [option for option in _options(shape) if option.negated]
    for module in ("statistic", "mark", "connmark"):
        options += [option for match in shape.matches if match.module == module for option in match.options]
    for constraints in constraints_of(shape).values():
        if len(constraints) > 1:
            options += [constraint.option for constraint in constraints]
    for core, name in _SIDES:
        pair = (shape.core_option(core), shape.match_option("iprange", name))
        if None not in pair:
            options += [option for option in pair if option is not None]
    slots = {slot for option in options if option.name != "--mode" for slot in option.slots}
    return tuple(sorted(slots))


def certainty_of(rule: Rule) -> Certainty | None:
    """The first condition of a rule that no packet meets; if none, the first that every packet meets; if none, None."""
    found = list(_certainties(rule))
    return next((certainty for certainty in found if not certainty.matches), found[0] if found else None)


def _options(shape: Shape) -> Iterator[Option]:
    yield from shape.core
    for match in shape.matches:
        yield from match.options


def _certainties(rule: Rule) -> Iterator[Certainty]:
    for look in (_chance, _mark, _everything, _contradiction, _ranges):
        try:
            yield from look(rule)
        except ValueError:  # an unreadable value decides nothing
            continue


def _chance(rule: Rule) -> Iterator[Certainty]:
    option = rule.shape.match_option("statistic", "--probability")
    text = rule.first(option)
    if option is not None and text is not None:
        matching = stored(text)
        if matching in (0, SCALE):
            matches = (matching == SCALE) != option.negated
            yield Certainty(matches, (option,), f"the kernel rounds this probability to {matching // SCALE}")
    option = rule.shape.match_option("statistic", "--every")
    if option is not None and rule.first(option) == "1":
        yield Certainty(not option.negated, (option,), "that is every packet")


def _mark(rule: Rule) -> Iterator[Certainty]:
    for module in ("mark", "connmark"):
        option = rule.shape.match_option(module, "--mark")
        text = rule.first(option)
        if option is not None and text is not None:
            mark = parse_mark(text)
            if mark.value & ~mark.mask:
                yield Certainty(option.negated, (option,), "the mask removes bits that the value needs")


def _everything(rule: Rule) -> Iterator[Certainty]:
    """`!` before a value that covers everything."""
    for constraints in constraints_of(rule.shape).values():
        for constraint in constraints:
            if constraint.option.negated and _is_all(constraint, rule):
                yield Certainty(False, (constraint.option,), "there is nothing else")


def _is_all(constraint: Constraint, rule: Rule) -> bool:
    value = constraint.value(rule)
    if constraint.kind is Nesting.ADDRESS:
        return value == (0, 0)
    if constraint.kind is Nesting.PORTS:
        return value == ((0, HIGHEST_PORT),)
    if constraint.kind is Nesting.STATES and isinstance(value, frozenset):
        return value >= EXCLUSIVE_STATES
    return constraint.kind is Nesting.INTERFACE and value == "+"


def _contradiction(rule: Rule) -> Iterator[Certainty]:
    """Two conditions on the same thing that exclude each other."""
    for constraints in constraints_of(rule.shape).values():
        for one, other in combinations(constraints[:8], 2):
            if _exclude(one, other, rule):
                yield Certainty(False, (one.option, other.option), "they exclude each other")


def _exclude(one: Constraint, other: Constraint, rule: Rule) -> bool:
    if one.option.negated and other.option.negated:
        return False
    left, right = one.value(rule), other.value(rule)
    if not one.option.negated and not other.option.negated:
        return apart(one.kind, left, right)
    outer, inner = (left, right) if one.option.negated else (right, left)
    return outer == inner or holds(one.kind, outer, inner)


_SIDES = (("-s", "--src-range"), ("-d", "--dst-range"))


def _ranges(rule: Rule) -> Iterator[Certainty]:
    """A network and a range of addresses that do not overlap."""
    shape = rule.shape
    for core, name in _SIDES:
        network, span = shape.core_option(core), shape.match_option("iprange", name)
        pair: Sequence[Option | None] = (network, span)
        if network is None or span is None or any(option is not None and option.negated for option in pair):
            continue
        value, mask = network_bits(rule.arguments(network)[0])
        first, last = parse_range(rule.arguments(span)[0])
        width = 128 if ":" in rule.arguments(network)[0] else 32
        highest = value | (~mask & ((1 << width) - 1))
        if last < value or highest < first:
            yield Certainty(False, (network, span), "the range lies outside the network")
