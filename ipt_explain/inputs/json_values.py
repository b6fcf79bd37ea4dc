"""Reading untrusted JSON: objects, digests, baselines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ipt_explain.errors import UsageError
from ipt_explain.inputs.limits import LONGEST_NUMBER
from ipt_explain.patterns import lazy_pattern

_MORE = lazy_pattern(r"\S")
_HALF_PAIR = lazy_pattern(r"\\u[dD][89a-fA-F]")
_ESCAPE = lazy_pattern(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_SURROGATES = lazy_pattern("[\ud800-\udfff]")


def json_value(text: str, source: str) -> Any:
    """The value of a JSON text. Raises UsageError, with line and column, if it is not JSON or has several values."""
    values = json_values(text, source)
    value = next(values, None)
    if next(values, None) is not None:
        raise UsageError(f"{source}: this is not JSON: a second value follows the first")
    return value


def json_values(text: str, source: str) -> Iterator[Any]:
    """The values of concatenated JSON texts.

    Undecodable bytes and lone surrogates become U+FFFD, as in Go's decoder; a number too long for any field becomes -1.
    Raises UsageError, with line and column, for anything but JSON.
    """
    import json

    decoder = json.JSONDecoder(parse_int=_number)
    text = _of_whole_pairs(of_characters(text))
    position = 0
    while begin := _MORE.search(text, position):
        try:
            value, position = decoder.raw_decode(text, begin.start())
        except json.JSONDecodeError as error:
            place = f"{source}:{error.lineno}:{error.colno}"
            why = error.msg[:1].lower() + error.msg[1:]
            raise UsageError(f"{place}: this is not JSON: {why}") from None
        except RecursionError:
            raise UsageError(f"{source}: this is nested too deeply") from None
        yield value


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= LONGEST_NUMBER else -1


def of_characters(text: str) -> str:
    """The text with U+FFFD for bytes that were not UTF-8."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def _of_whole_pairs(text: str) -> str:
    if _HALF_PAIR.search(text):
        text = _ESCAPE.sub(lambda found: "\\ufffd" if found[1] else found[0], text)
    return text
