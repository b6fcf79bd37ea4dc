"""What the grammar accepts as a value, as a regular expression.

Lark's lexer tries the terminals that a parser state accepts in a fixed order and takes the first that matches. So a
word is the terminal T there exactly if T matches it and no terminal before T does.
"""

from __future__ import annotations

from functools import cache

from lark.lexer import BasicLexer, ContextualLexer
from lark.parsers.lalr_interactive_parser import InteractiveParser

from ipt_explain.parsing.grammar_files import END_OF_WORD, rule_grammar

VALUE_KINDS = {
    "CHAIN": "a chain's name",
    "ADDRESS": "an address",
    "NAT_RANGE": "an address, with or without a port",
    "INTERFACE": "an interface's name",
    "PROTOCOL": "a protocol",
    "PORTS": "a port",
    "INTEGER": "a number",
    "RANGE": "a number or a range",
    "MARK": "a value, with or without a mask",
    "RATE": "a rate",
    "TIME": "a time",
    "LIST": "a list",
    "NAME": "a name",
    "WORD": "a value",
    "TEXT": "a word, or text in double quotes",
    "NUMBER": "a number",
    "COUNTERS": "packets and bytes",
    "EMPTY": "nothing",
    "ARGUMENT": "a value",
}
"""The terminals whose words belong to one rule, and what to call them; all other terminals belong to its shape."""


def is_value(terminal: str) -> bool:
    """Whether words of this terminal are values of a rule, not part of its shape."""
    return terminal in VALUE_KINDS


def value_pattern(parser: InteractiveParser, terminal: str) -> str:
    """The pattern of the words that the parser, in its current state, would accept as this terminal. It has no
    groups."""
    if terminal == "EMPTY":
        return ""
    lexer = parser.lexer_thread.lexer
    assert isinstance(lexer, ContextualLexer)
    return _pattern(lexer.lexers[parser.parser_state.position], terminal)


@cache
def _pattern(lexer: BasicLexer, terminal: str) -> str:
    before: list[str] = []
    for candidate in lexer.terminals:
        if candidate.name == terminal:
            return _refusing(before) + candidate.pattern.to_regexp()
        # Blanks and the empty value begin with a blank, as no value does.
        if candidate.name != "EMPTY" and candidate.name not in lexer.ignore_types:
            before.append(candidate.pattern.to_regexp())
    raise AssertionError(f"{terminal} is not accepted here")


@cache
def any_word() -> str:
    """The pattern of most values: any word, bare or quoted."""
    return rule_grammar().get_terminal("WORD").pattern.to_regexp()


def _refusing(before: list[str]) -> str:
    """A lookahead that refuses words which an earlier terminal matches. Words that begin like none of these pass at
    once."""
    if not before:
        return ""
    # All keywords end alike. Writing the end once takes a fifth of the time to compile.
    keywords = [pattern.removesuffix(END_OF_WORD) for pattern in before if pattern.endswith(END_OF_WORD)]
    refused = [pattern for pattern in before if not pattern.endswith(END_OF_WORD)]
    if keywords:
        refused.append(f"(?:{'|'.join(keywords)}){END_OF_WORD}")
    refusal = f"(?!{'|'.join(refused)})"
    if not all(pattern[0].isalpha() for pattern in before):
        return refusal
    beginnings = "".join(sorted({pattern[0] for pattern in before}))
    return f"(?:(?![{beginnings}])|{refusal})"
