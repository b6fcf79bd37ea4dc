"""The parser of `grammar/listing.lark`."""

from __future__ import annotations

import re
from functools import cache
from pkgutil import get_data

from lark import Lark
from lark.lexer import PatternRE, PatternStr, TerminalDef

from ipt_explain.parsing.grammar_files import grammar_text, lalr, loaded_or_built
from ipt_explain.parsing.grammar_tables import tables_of

LISTING_FILES = ("listing.lark",)
TABLES_FILE = "listing.tables"
_END_OF_WORD = "(?![^ ])"
KEYWORD = re.compile(r"__ANON_\d+\Z")


@cache
def listing_grammar() -> Lark:
    """The LALR parser of the details after a rule's columns; loaded or built once."""
    return loaded_or_built(TABLES_FILE, made_of(), lambda: _build_listing_parser(grammar_text(LISTING_FILES)))


def made_of() -> str:
    """The texts that the parser's tables depend on: the grammar, and this module."""
    return grammar_text(LISTING_FILES) + (get_data(__package__, "grammar.py") or b"").decode()


def listing_tables() -> bytes:
    """The tables of the parser, to be stored next to the grammar."""
    return tables_of(_build_listing_parser(grammar_text(LISTING_FILES)), made_of())


def _build_listing_parser(grammar: str) -> Lark:
    """The parser for a text of the listing's grammar."""
    return lalr(grammar, "details", propagate_positions=True, edit_terminals=_end_keyword_at_blank)


def _end_keyword_at_blank(terminal: TerminalDef) -> None:
    """Make keywords in the rules end at a blank, so that `tcp` does not match in `tcpmss`. Anything may follow those
    that end in a symbol or are printed without a blank after them."""
    pattern = terminal.pattern
    if isinstance(pattern, PatternStr):
        glued = pattern.value in _GLUED or pattern.value[-1] in ":="
        end = "" if glued or terminal.name == "NOT" else _END_OF_WORD
        terminal.pattern = PatternRE(re.escape(pattern.value) + end)
    elif KEYWORD.match(terminal.name) and not pattern.value.endswith("="):
        terminal.pattern = PatternRE(pattern.value.replace("(! )", "(?:! )") + _END_OF_WORD)


_GLUED = frozenset({"tos match", "TOS set", "DSCP match"})
"""`tos match0x10/0x3f`: libxt_tos forgets the blank."""
