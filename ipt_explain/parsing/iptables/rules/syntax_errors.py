"""What is wrong with a rule's text, in words for people."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from difflib import get_close_matches

from lark import Token

from ipt_explain.errors import NEGATED_TWICE, RuleSyntaxError
from ipt_explain.parsing.iptables.rules.value_patterns import VALUE_KINDS, is_value
from ipt_explain.parsing.iptables.rules.vocabulary import Module, vocabulary
from ipt_explain.records import Record
from ipt_explain.words import either

_WORD = re.compile(r"[^ \t\n]+|\n")
_QUOTE_LEFT_OPEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*\\?\Z', re.DOTALL)
_OPENINGS = ("-m", "-j", "-g", "--match", "--jump", "--goto")
_MAX_SHOWN = 40


class Situation(Record):
    """Where the reading of a rule stopped: at `position` of `line`, 0-based; the line's length if it ended too soon.

    `accepted` are the terminals that the grammar accepts there; `option` is the last option before it, `previous` the
    last word; `module` is the match or target whose options may come there, None if the rule's own may.
    """

    line: str
    position: int
    accepted: AbstractSet[str]
    previous: Token | None
    option: Token | None
    module: Module | None
    is_target: bool


def explain(at: Situation) -> RuleSyntaxError:
    """The error in words: what is there, and what could be."""
    found = _WORD.search(at.line, at.position)
    column = (found.start() if found else len(at.line)) + 1
    word = found[0] if found else ""
    if at.previous is None:
        message = _quoted("{} does not start a rule", word) if word else "there is no rule"
        return RuleSyntaxError(column, max(len(word), 1), message, "-A and a chain's name.")
    if not word:
        return _line_ends(at, column)
    message, expected = _at_word(at, word)
    return RuleSyntaxError(column, len(word), message, expected)


def _line_ends(at: Situation, column: int) -> RuleSyntaxError:
    assert at.previous is not None
    if at.previous.type == "NOT" and not _wants_value(at):
        return RuleSyntaxError(column - 1, 1, "nothing follows the negation", "An option after the `!`.")
    option = at.option or at.previous
    verb = "lacks its second argument" if is_value(at.previous.type) else "has no argument"
    return RuleSyntaxError(
        (option.start_pos or 0) + 1, len(option), f"{option} {verb}", f"{_capital(_value_words(at.accepted))}."
    )


def _at_word(at: Situation, word: str) -> tuple[str, str]:
    assert at.previous is not None
    if word == "\n":
        return "the rule goes on after a line feed", "A line feed only inside double quotes."
    if _wants_value(at):
        name = at.option or at.previous
        return _quoted("{} is not what " + f"{name} takes", word), f"{_capital(_value_words(at.accepted))}."
    if at.previous.type == "NOT":
        if word == "!":
            return NEGATED_TWICE, "One `!` in front of an option."
        if _is_known(at, word):
            return _quoted("{} cannot be negated", word), "The option without `!`."
    if word.startswith("-"):
        return _unknown_option(at, word), _next_words(at)
    if word == "!":
        return "nothing here can be negated", _next_words(at)
    return _stray_word(at, word), _next_words(at)


def _wants_value(at: Situation) -> bool:
    return "MATCH" not in at.accepted and any(map(is_value, at.accepted))


def _is_known(at: Situation, word: str) -> bool:
    if at.module is not None and word in at.module.options:
        return True
    return word in vocabulary().own_terminals or word in _OPENINGS


def _unknown_option(at: Situation, word: str) -> str:
    known = vocabulary()
    if word in ("-A", "-I", "-D", "-R", "--append", "--insert", "--delete", "--replace"):
        return _quoted("{} starts a rule inside another rule", word)
    owners = sorted(name for name, module in known.matches.items() if word in module.options)
    targets = sorted(name for name, module in known.targets.items() if word in module.options)
    if owners or targets:
        homes = _alternatives([f"-m {name}" for name in owners] + [f"-j {name}" for name in targets])
        return _quoted("{} is an option of " + f"{homes}, which the rule does not load", word)
    near = _nearest(word, sorted(at.module.options) if at.module else []) or _nearest(
        word, [*known.own_terminals, *_OPENINGS]
    )
    meant = f"; did you mean {near}?" if near else ""
    return _quoted("{} is not an option of " + f"{_place(at)}{meant}", word)


def _nearest(word: str, options: list[str]) -> str:
    """The option that a word abbreviates or misspells; "" if none is close."""
    word = word[:_MAX_SHOWN]
    longer = [option for option in options if option.startswith(word)] if len(word) > 3 else []
    return next(iter(longer or get_close_matches(word, options, 1, 0.75)), "")


def _stray_word(at: Situation, word: str) -> str:
    previous, option = at.previous, at.option
    assert previous is not None
    opened = previous.start_pos if is_value(previous.type) else None
    if opened is not None and _QUOTE_LEFT_OPEN.match(at.line, opened):
        return "the text goes on after a double quote that is opened and never closed"
    if is_value(previous.type) and previous.endswith('"') and len(previous) > 1 and previous.end_pos == at.position:
        return _quoted("{} follows a closing quote, which ends the word", word)
    if option is None or option is previous:
        return _quoted("{} is unexpected" + f": {previous} takes no argument", word)
    if option.type in ("MATCH", "JUMP", "GOTO"):
        return _quoted("{} is unexpected" + f" after {option} {previous}", word)
    return _quoted("{} is one argument too many for " + str(option), word)


def _next_words(at: Situation) -> str:
    parts = []
    if at.module is not None and at.module.options:
        parts.append(f"an option of {_place(at)}")
    elif at.module is None:
        parts.append("an option of the rule (-s, -d, -i, -o, -p)")
    parts.append("a match (-m)")
    if not at.is_target:
        parts.append("a target (-j)")
    return f"{_capital(_alternatives(parts))}."


def _place(at: Situation) -> str:
    if at.module is None:
        return "a rule"
    return f"target {at.module.name}" if at.is_target else f"match {at.module.name}"


def _value_words(accepted: AbstractSet[str]) -> str:
    if "MODULE" in accepted:
        return "a match's name"
    if "JUMP" not in accepted and "ACCEPT" in accepted:
        return "a target or a chain's name"
    return _alternatives([text for terminal, text in VALUE_KINDS.items() if terminal in accepted and text != "nothing"])


def _alternatives(words: list[str]) -> str:
    if len(words) > 4:
        words = [*words[:3], "others"]
    return either(words)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _quoted(template: str, word: str) -> str:
    shown = word if len(word) <= _MAX_SHOWN else word[:_MAX_SHOWN] + "…"
    return template.replace("{}", f"`{shown}`", 1)
