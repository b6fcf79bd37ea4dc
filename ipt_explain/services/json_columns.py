"""Columns of values as JSON text. A large node's endpoints differ in a few values each, so these go into a text that is
ready but for them: to format each endpoint takes several times as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from json.encoder import encode_basestring_ascii

_NEEDS_NO_ESCAPE = bytes(each for each in range(ord(" "), ord("~") + 1) if chr(each) not in '"\\')

quoted = lru_cache(maxsize=1024)(encode_basestring_ascii)
"""A text in JSON. Few are written only once."""


class Skeleton:
    """An array of objects without some of their values, which are at the same places in each. An object is given as the
    pieces of its text between these places."""

    __slots__ = ("_pieces",)

    def __init__(self, objects: Iterable[Sequence[str]]) -> None:
        pieces = ["["]
        for first, *others in objects:
            pieces[-1] += first if len(pieces) == 1 else f", {first}"
            for other in others:
                pieces += ("", other)
        pieces[-1] += "]"
        self._pieces = pieces

    def filled(self, *columns: Iterable[str]) -> str:
        """The whole text, with a column of values for each place."""
        pieces = self._pieces.copy()
        for number, values in enumerate(columns):
            pieces[2 * number + 1 :: 2 * len(columns)] = values
        return "".join(pieces)


@lru_cache(maxsize=1024)
def text_or_null(value: str | None) -> str:
    """A text in JSON, or null."""
    return "null" if value is None else quoted(value)


def number_or_null(value: float | None) -> str:
    """A number in JSON, or null."""
    return "null" if value is None else repr(value)


def texts(values: Sequence[str | None]) -> tuple[str, Sequence[str]]:
    """Texts in JSON, or null, and the quotation mark that is still to be put around each. Nearly always, no text has a
    character to escape, which one look at all of them together shows.
    """
    if None not in values:
        joined = "".join(values)  # type: ignore[arg-type]
        if joined.isascii() and not joined.encode().translate(None, _NEEDS_NO_ESCAPE):
            return '"', values  # type: ignore[return-value]
    return "", list(map(text_or_null, values))


def numbers(values: Sequence[float | None]) -> Iterable[str]:
    """Numbers in JSON, or null."""
    if values.count(None) == len(values):
        return repeat("null", len(values))
    return map(number_or_null, values) if None in values else map(repr, values)
