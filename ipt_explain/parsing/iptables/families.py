"""Which address family a rule is for, where no header says it."""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.model import Family, Rule, Shape

# Options whose value is an address, or names its family.
_TELLING_TARGET_OPTIONS = ("--to-destination", "--to-source", "--to", "--reject-with")
_TELLING_MATCH_OPTIONS = (("recent", "--mask"), ("iprange", "--src-range"), ("iprange", "--dst-range"))


def family_of_rule(rule: Rule, slots_by_shape: dict[Shape, tuple[int, ...]]) -> Family | None:
    """The family that a rule's addresses show, or None where it has none. `slots_by_shape` is the caller's memory."""
    shape = rule.shape
    slots = slots_by_shape.get(shape)
    if slots is None:
        slots = slots_by_shape[shape] = _telling_slots(shape)
    for slot in slots:
        family = _family_of(rule.values[slot])
        if family is not None:
            return family
    return None


def _family_of(value: str) -> Family | None:
    """What a value shows: an IPv6 address has two colons or a bracket; `10.0.0.1:80` has one, `:80` no address."""
    if value.startswith(("[", "icmp6")) or value.count(":") > 1:
        return Family.IPV6
    return Family.IPV4 if "." in value or value.startswith("icmp-") else None


def family_of_rules(rules: Iterable[Rule]) -> Family | None:
    """The family of the first rule that shows one."""
    slots: dict[Shape, tuple[int, ...]] = {}
    for rule in rules:
        family = family_of_rule(rule, slots)
        if family is not None:
            return family
    return None


def _telling_slots(shape: Shape) -> tuple[int, ...]:
    options = [shape.core_option("-s"), shape.core_option("-d")]
    options += [shape.target_option(name) for name in _TELLING_TARGET_OPTIONS]
    options += [shape.match_option(module, name) for module, name in _TELLING_MATCH_OPTIONS]
    return tuple(option.slots[0] for option in options if option is not None and option.slots)
