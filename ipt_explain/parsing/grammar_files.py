"""The grammar: its files, and the parser made from them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lark import Lark
from lark.lexer import PatternRE, PatternStr, TerminalDef

from ipt_explain.parsing.grammar_tables import TABLES_FILE, keep_tables, load_tables

if TYPE_CHECKING:
    from importlib.abc import Traversable

RULE_FILES = ("tokens.lark", "rule.lark", "matches.lark", "targets.lark")
"""The files, in this order, that define a rule."""

END_OF_WORD = "(?![^ \t\n])"
"""The grammar's `_END`, which follows every keyword."""


def _grammar_folder() -> Traversable | Path:
    """The folder of the `.lark` files: in the installed package, or at the top of a checkout."""
    try:
        return files("ipt_explain.grammar")
    except ModuleNotFoundError:
        return Path(__file__).resolve().parents[2] / "grammar"


def grammar_text(names: tuple[str, ...] = RULE_FILES) -> str:
    """The grammar files as one text for Lark."""
    folder = _grammar_folder()
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


@cache
def rule_grammar() -> Lark:
    """The LALR parser of one rule; loaded or built once."""
    text = grammar_text()
    return loaded_or_built(TABLES_FILE, text, lambda: build_parser(text))


def build_parser(grammar: str, start: str = "rule") -> Lark:
    """The parser that a grammar text defines, for a `rule` or any `line`."""
    return lalr(grammar, start, keep_all_tokens=True, edit_terminals=_end_keyword_at_blank)


def loaded_or_built(tables_file: str, made_of: str, build: Callable[[], Lark]) -> Lark:
    """A parser from its tables, if they fit the text that it is `made_of`; otherwise it is built, and its tables are
    stored."""
    folder = _grammar_folder()
    parser = load_tables(folder, made_of, tables_file)
    if parser is None:
        parser = build()
        keep_tables(folder, made_of, parser, tables_file)
    return parser


def lalr(grammar: str, *starts: str, **options: Any) -> Lark:
    """The LALR parser of a grammar's text, with Lark's other options."""
    return Lark(grammar, parser="lalr", lexer="contextual", start=list(starts), maybe_placeholders=False, **options)


def _end_keyword_at_blank(terminal: TerminalDef) -> None:
    """Make the keywords in the rules whole words, without groups: `--dportx` isn't `--(sport|dport)`."""
    pattern = terminal.pattern
    if isinstance(pattern, PatternStr):
        terminal.pattern = PatternRE(re.escape(pattern.value) + END_OF_WORD)
    elif pattern.value.startswith("--"):
        terminal.pattern = PatternRE(pattern.value.replace("(", "(?:") + END_OF_WORD)
