"""The parts of a rule: its command, its own options, its matches, its target; and the shape that they form, which
iptables-save prints in its own order."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ipt_explain.model import Command, Hidden, Match, Option, Shape, Target
from ipt_explain.records import Record, replace


class RuleOpening(Record):
    """How a rule begins: its command, and the slot of its number, if it has one."""

    command: Command
    rulenum_slot: int | None = None


Part = RuleOpening | Option | Match | Target
"""An Option is the rule's own."""

_NAT_RANGES = ("--to-destination", "--to-source")
"""Given twice, they come of an iptables that is older than the kernel's module and misreads what it prints."""

_shapes: dict[tuple[object, ...], Shape] = {}


def shape_of(parts: Iterable[Part], hidden: frozenset[Hidden] = frozenset()) -> Shape:
    """The shape of a rule with these parts, its opening first; equal forms give the same object."""
    opening, own, matches, target = RuleOpening(Command.APPEND), [], [], None
    for part in parts:
        if isinstance(part, Match):
            matches.append(part)
        elif isinstance(part, Option):
            own.append(part)
        elif isinstance(part, Target):
            target = part
        else:
            opening = part
    form = opening.command, opening.rulenum_slot, tuple(own), tuple(matches), target
    target = form[-1]
    if target is not None and sum(option.name in _NAT_RANGES for option in target.options) > 1:
        hidden |= {Hidden.TARGET}
    return intern_shape(*form, lambda: printed_form(*form), hidden)


def moved(part: Part, by: int) -> Part:
    """The same part with its values `by` slots further on."""
    if isinstance(part, RuleOpening):
        return replace(part, rulenum_slot=_moved_slot(part.rulenum_slot, by))
    if isinstance(part, Option):
        return _moved_option(part, by)
    options = tuple(_moved_option(option, by) for option in part.options)
    if isinstance(part, Match):
        return replace(part, options=options)
    return replace(part, slot=_moved_slot(part.slot, by), options=options)


def _moved_slot(slot: int | None, by: int) -> int | None:
    return None if slot is None else slot + by


def _moved_option(option: Option, by: int) -> Option:
    return replace(option, slots=tuple(slot + by for slot in option.slots))


def intern_shape(
    command: Command,
    rulenum_slot: int | None,
    core: tuple[Option, ...],
    matches: tuple[Match, ...],
    target: Target | None,
    printing: Callable[[], Printing],
    hidden: frozenset[Hidden] = frozenset(),
) -> Shape:
    """The shape of this form. `printing` makes its literals and layout when the form is first met."""
    key = (command, rulenum_slot, core, matches, target, hidden)
    shape = _shapes.get(key)
    if shape is None:
        shape = _shapes[key] = Shape(command, rulenum_slot, core, matches, target, *printing(), hidden)
    return shape


Printing = tuple[tuple[str, ...], tuple[int, ...]]

_ORDER = ("-4", "-6", "-s", "-d", "-i", "-o", "-p", "-f", "-c")
"""A rule's own options, as iptables-save orders them."""

_NEVER_PRINTED = "-c"
_WIDE_OPTION = "--nfacct-name"
"""iptables-save prints two blanks after this one (`nfacct_save` of libxt_nfacct)."""


def printed_form(
    command: Command,
    rulenum: int | None,
    core: Iterable[Option],
    matches: Iterable[Match],
    target: Target | None,
) -> Printing:
    """The literals of a shape with these parts, and the slots between them."""
    words: list[str | int] = [command.value, 0]
    if rulenum is not None:
        words.append(rulenum)
    for option in sorted(core, key=lambda option: _ORDER.index(option.name)):
        if option.name != _NEVER_PRINTED:
            words += _option_words(option)
    for match in matches:
        words += ["-m", match.module]
        for option in match.options:
            words += _option_words(option)
    if target is not None:
        words.append(target.kind.value)
        words.append(target.slot if target.name is None and target.slot is not None else str(target.name))
        for option in target.options:
            words += _option_words(option)
    return _spaced(words)


def _option_words(option: Option) -> list[str | int]:
    words: list[str | int] = ["!"] if option.negated else []
    words.append(option.name + " " if option.name == _WIDE_OPTION else option.name)
    words += option.slots
    return words


def _spaced(words: list[str | int]) -> Printing:
    literals, printed = [""], []
    for number, word in enumerate(words):
        if number:
            literals[-1] += " "
        if isinstance(word, int):
            printed.append(word)
            literals.append("")
        else:
            literals[-1] += word
    return tuple(literals), tuple(printed)
