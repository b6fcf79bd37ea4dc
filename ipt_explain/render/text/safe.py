"""Text from a dump, made safe for a terminal.

A chain name, comment or log prefix may hold any byte. Characters that could move the cursor, or recolour, reorder or
hide text are escaped: `\\x1b`, `\\u202e`. All text from a dump passes through here before it reaches a terminal.
"""

from __future__ import annotations

from functools import cache

from ipt_explain.patterns import lazy_pattern

# Controls (C0, DEL, C1), soft hyphen, Arabic letter mark, joiners and directional marks, line and paragraph separators,
# bidirectional embeddings, overrides and isolates, invisible operators, variation selectors, the byte order mark,
# interlinear annotations, invisible fillers, surrogates (bytes that were not UTF-8), tag characters, and noncharacters.
_UNSAFE = lazy_pattern(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

_AFTER_LATIN = "\u0300"


@cache
def _one_column() -> frozenset[str]:
    """Characters known to take one column each: Latin letters, typographic marks, arrows, box drawing."""
    marks, arrows, boxes = range(0x2018, 0x2028), range(0x2190, 0x2200), range(0x2500, 0x2580)
    return frozenset(map(chr, (*range(0x20, ord(_AFTER_LATIN)), *marks, *arrows, *boxes)))


_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def escape(text: str, keep: str = "") -> str:
    """Escape every character that a terminal would act upon or not show.

    A byte that was not UTF-8 (a surrogate) is shown as that byte: `\\xff`. `keep` are characters to leave alone, for
    our own text with line feeds.
    """
    if text.isascii() and text.isprintable():
        return text
    import unicodedata

    safe = _UNSAFE.sub(lambda found: found[0] if found[0] in keep else _escaped(found[0]), text)
    return _escaped(safe[0]) + safe[1:] if safe and unicodedata.combining(safe[0]) else safe


def _escaped(character: str) -> str:
    """One character as an escape: `\\x1b`, `\\u202e`, `\\U000e0041`."""
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\U{code:08x}"


def cells(text: str) -> int:
    """The number of terminal columns of a text: two for a wide character, none for a combining one."""
    if text.isascii() or max(text) < _AFTER_LATIN or _one_column().issuperset(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
