"""The parser of `grammar/listing.lark`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from lark import Lark
from lark.lexer import PatternRE, PatternStr, TerminalDef

from ipt_explain.parsing.grammar_files import grammar_folder, grammar_text
from ipt_explain.parsing.grammar_tables import keep_tables, load_tables

LISTING_FILES = ("listing.lark",)
TABLES_FILE = "listing.tables"
_END_OF_WORD = "(?![^ ])"
_KEYWORD = re.compile(r"__ANON_\d+\Z")


@cache
def listing_grammar() -> Lark:
    """The LALR parser of what a listing prints behind a rule's columns; loaded or built once."""
    folder, text = grammar_folder(), grammar_text(LISTING_FILES)
    made_of = text + Path(__file__).read_text(encoding="utf-8")
    parser = load_tables(folder, made_of, TABLES_FILE)
    if parser is None:
        parser = build_listing_parser(text)
        keep_tables(folder, made_of, parser, TABLES_FILE)
    return parser


def build_listing_parser(grammar: str) -> Lark:
    """The parser that a text of the listing's grammar defines."""
    return Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        start="details",
        maybe_placeholders=False,
        propagate_positions=True,
        edit_terminals=_end_keyword_at_blank,
    )


def _end_keyword_at_blank(terminal: TerminalDef) -> None:
    """Keywords that stand in the rules end at a blank, so that `tcp` is not found in `tcpmss`. Those that end in a
    sign, or are printed without a blank behind them, may be followed by anything.
    """
    pattern = terminal.pattern
    if isinstance(pattern, PatternStr):
        glued = pattern.value in _GLUED or pattern.value[-1] in ":="
        end = "" if glued or terminal.name == "NOT" else _END_OF_WORD
        terminal.pattern = PatternRE(re.escape(pattern.value) + end)
    elif _KEYWORD.match(terminal.name) and not pattern.value.endswith("="):
        terminal.pattern = PatternRE(pattern.value.replace("(! )", "(?:! )") + _END_OF_WORD)


_GLUED = frozenset({"tos match", "TOS set", "DSCP match"})
"""`tos match0x10/0x3f`: libxt_tos forgets the blank."""
