"""The grammars of the three tools' lines, each loaded or built once."""

from __future__ import annotations

from functools import cache
from pkgutil import get_data

from lark import Lark

from ipt_explain.parsing.grammar_files import grammar_text, lalr, loaded_or_built
from ipt_explain.parsing.grammar_tables import tables_of


@cache
def ipvsadm_grammar() -> Lark:
    """`line`: a line of ipvsadm."""
    return _loaded("ipvsadm.lark")


@cache
def ipset_grammar() -> Lark:
    """`line`: a line of ipset; `member`: an element of `ipset list`."""
    return _loaded("ipset.lark")


@cache
def ip_addr_grammar() -> Lark:
    """`line`: a line of `ip addr`."""
    return _loaded("ip_addr.lark")


def line_tables(file: str) -> bytes:
    """The tables of one of the parsers, to be stored next to the grammar."""
    return tables_of(_built(file), _made_of(file))


def _loaded(file: str) -> Lark:
    return loaded_or_built(file.replace(".lark", ".tables"), _made_of(file), lambda: _built(file))


def _built(file: str) -> Lark:
    return lalr(grammar_text((file,)), *_STARTS[file], keep_all_tokens=True)


def _made_of(file: str) -> str:
    """The texts that a parser's tables depend on: the grammar, and this module."""
    return grammar_text((file,)) + (get_data(__package__, "grammars.py") or b"").decode()


_STARTS = {"ipvsadm.lark": ("line",), "ipset.lark": ("line", "member"), "ip_addr.lark": ("line",)}
