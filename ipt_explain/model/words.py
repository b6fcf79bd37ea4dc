"""Words as iptables writes and reads them: quotes and escapes.

Facts: libxtables `xtables_save_string` (quotes unless all of `[A-Za-z0-9_-]`, escapes `" \\ '`), and
iptables-restore's `add_param_to_argv` (a double quote opens and closes, a backslash escapes only inside).
"""

from __future__ import annotations

import re

from ipt_explain.patterns import lazy_pattern

_ESCAPED = lazy_pattern(r"\\(.)", re.DOTALL)
_BARE = lazy_pattern(r"[A-Za-z0-9_-]+\Z")
_NEEDS_ESCAPE = lazy_pattern(r"([\"\\'])")


def unquote(word: str) -> str:
    """The value of a word as iptables-restore reads it: without quotes and escapes if quoted."""
    if len(word) >= 2 and word[0] == '"' and word[-1] == '"':
        inner = word[1:-1]
        return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner
    return word


def quote(value: str) -> str:
    """A value as iptables-save writes a comment, log prefix or the like: quoted only if it must be."""
    if _BARE.match(value):
        return value
    return '"' + _NEEDS_ESCAPE.sub(r"\\\1", value) + '"'
