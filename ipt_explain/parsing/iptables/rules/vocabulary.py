"""What the grammar knows, read back from the compiled grammar: modules, their options, the rule's own options."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from lark.grammar import NonTerminal
from lark.lexer import TerminalDef

from ipt_explain.parsing.grammar_files import END_OF_WORD, rule_grammar
from ipt_explain.records import Record

_ALTERNATIVES = re.compile(r"((?:--)?)(?:\(\?:|\()?((?:[\w-]|\\.|\|)+)\)?")

_Expansions = Mapping[str, list[list[str]]]
_Keywords = Mapping[str, tuple[str, ...]]


class Module(Record):
    """A match or target that the grammar knows: its name, the terminal of its name, and its options."""

    name: str
    terminal: str
    options: frozenset[str]


class Vocabulary(Record):
    """Modules by name; the terminal of each spelling of the rule's own options."""

    matches: Mapping[str, Module]
    targets: Mapping[str, Module]
    own_terminals: Mapping[str, str]


@cache
def vocabulary() -> Vocabulary:
    """What the grammar knows; read once."""
    grammar = rule_grammar()
    keywords = {terminal.name: words for terminal in grammar.terminals if (words := _words(terminal))}
    expansions: dict[str, list[list[str]]] = {}
    for rule in grammar.rules:
        symbols = [_symbol(symbol.name, isinstance(symbol, NonTerminal)) for symbol in rule.expansion]
        expansions.setdefault(_symbol(rule.origin.name, True), []).append(symbols)
    return Vocabulary(
        matches=_modules("<match>", expansions, keywords),
        targets=_modules("<target>", expansions, keywords),
        own_terminals={
            word: symbol for symbols in expansions["<own>"] for symbol in symbols for word in keywords.get(symbol, ())
        },
    )


def _symbol(name: object, is_rule: bool) -> str:
    return f"<{name}>" if is_rule else str(name)


def _words(terminal: TerminalDef) -> tuple[str, ...]:
    """The spellings of a keyword, nothing for other terminals: `--(sport|dport)`, `(?:--source|-s)`, `tcp`."""
    pattern = terminal.pattern.value
    if not pattern.endswith(END_OF_WORD):
        return ()
    found = _ALTERNATIVES.fullmatch(pattern.removesuffix(END_OF_WORD))
    if found is None:
        return ()
    prefix, words = found.groups()
    return tuple(prefix + re.sub(r"\\(.)", r"\1", word) for word in words.split("|"))


def _modules(origin: str, expansions: _Expansions, keywords: _Keywords) -> dict[str, Module]:
    options: dict[str, frozenset[str]] = {}
    terminals: dict[str, str] = {}
    for _, name_terminal, *rest in expansions[origin]:
        for name in keywords.get(name_terminal, ()):
            terminals[name] = name_terminal
            found = _options(rest, expansions, keywords)
            options[name] = options.get(name, frozenset()) | found
    return {name: Module(name, terminals[name], options[name]) for name in options}


def _options(symbols: Iterable[str], expansions: _Expansions, keywords: _Keywords) -> frozenset[str]:
    """The options that can be reached from the symbols."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(symbols)
    while waiting:
        symbol = waiting.pop()
        if symbol in seen:
            continue
        seen.add(symbol)
        found.update(word for word in keywords.get(symbol, ()) if word.startswith("-"))
        for expansion in expansions.get(symbol, ()):
            waiting.extend(expansion)
    return frozenset(found)
