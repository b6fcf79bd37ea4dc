"""How iptables-save prints a rule: the text between its values, and the values' order."""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.model import Command, Match, Option, Target

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
    """The literals of a shape with these parts, and the slots that stand between them."""
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
