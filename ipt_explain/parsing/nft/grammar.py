"""The parser that `grammar/nft.lark` defines."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from lark import Lark, Token
from lark.lexer import PatternRE, PatternStr, TerminalDef

from ipt_explain.parsing.grammar_files import grammar_text, lalr, loaded_or_built
from ipt_explain.parsing.grammar_tables import tables_of
from ipt_explain.parsing.nft.trees import Node, Parsed

if TYPE_CHECKING:
    from lark import Tree

GRAMMAR_FILE = "nft.lark"
TABLES_FILE = "nft.tables"
STARTS = ("line", "element")

# Terminals whose words vary between rules of one form; all others are part of the form.
VALUES = frozenset({
    "NAME", "CHAIN", "SET_NAME", "BRACES", "STRING", "TRAILING", "NUMBER", "HEX", "IPV4", "IPV6", "MAC", "TIME",
})  # fmt: skip

_END_OF_WORD = r"(?![\w-])"
_KEYWORD_PRIORITY = 2


@cache
def nft_grammar() -> Lark:
    """The LALR parser of a line or an element; loaded or built once."""
    text = grammar_text((GRAMMAR_FILE,))
    return loaded_or_built(TABLES_FILE, text, lambda: _build_nft_parser(text))


def _build_nft_parser(grammar: str) -> Lark:
    """The parser for a grammar text."""
    return lalr(grammar, *STARTS, keep_all_tokens=True, edit_terminals=_whole_words)


def nft_tables() -> bytes:
    """The parser's tables, which a wheel ships."""
    text = grammar_text((GRAMMAR_FILE,))
    return tables_of(_build_nft_parser(text), text)


def parse(text: str, start: str) -> Parsed:
    """The parse tree of a line or an element. Raises lark's UnexpectedInput."""
    values: list[tuple[str, int, int]] = []
    return Parsed(_plain(nft_grammar().parse(text, start=start), values), tuple(values))


def _plain(tree: Tree[Token] | Token, values: list[tuple[str, int, int]]) -> Node:
    """A tree as tuples; adds its values."""
    if not isinstance(tree, Token):
        return str(tree.data), tuple([_plain(child, values) for child in tree.children])
    if tree.type not in VALUES:
        return str(tree)
    assert tree.start_pos is not None
    assert tree.end_pos is not None
    values.append((tree.type, tree.start_pos, tree.end_pos))
    return len(values) - 1, tree.type


@cache
def terminal_pattern(name: str) -> str:
    """The regular expression of a terminal."""
    return nft_grammar().get_terminal(name).pattern.to_regexp()


def _whole_words(terminal: TerminalDef) -> None:
    """Make keywords whole words that win over values: `ip` must not match in `ip6`."""
    pattern = terminal.pattern
    if isinstance(pattern, PatternStr) and pattern.value[0].isalpha():
        terminal.pattern = PatternRE(re.escape(pattern.value) + _END_OF_WORD)
        terminal.priority = _KEYWORD_PRIORITY
