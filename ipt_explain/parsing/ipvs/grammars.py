"""The grammars of the three tools' lines, each built on first use."""

from __future__ import annotations

from functools import cache

from lark import Lark

from ipt_explain.parsing.grammar_files import grammar_text, lalr


@cache
def ipvsadm_grammar() -> Lark:
    """`line`: a line of ipvsadm."""
    return _built("ipvsadm.lark", "line")


@cache
def ipset_grammar() -> Lark:
    """`line`: a line of ipset; `member`: an element of `ipset list`."""
    return _built("ipset.lark", "line", "member")


@cache
def ip_addr_grammar() -> Lark:
    """`line`: a line of `ip addr`."""
    return _built("ip_addr.lark", "line")


def _built(file: str, *starts: str) -> Lark:
    return lalr(grammar_text((file,)), *starts, keep_all_tokens=True)
