"""Type checks for values of nft's JSON. Other types raise ValueError."""

from __future__ import annotations

import json
from typing import Any

from ipt_explain.model import nft

Json = Any
"""A value from the json module."""

FAILURES = (KeyError, ValueError, TypeError, AttributeError, IndexError)
"""Exceptions that an unexpected document may raise."""


def unread(item: Json) -> nft.Unread:
    """An unknown value, as text."""
    return nft.Unread(json.dumps(item, ensure_ascii=False))


def constant(item: Json) -> int | str:
    """A number or a string."""
    if not isinstance(item, (int, str)):
        raise ValueError
    return item


def text(item: Json) -> str:
    """A string."""
    if not isinstance(item, str):
        raise ValueError
    return item


def maybe_text(item: Json) -> str | None:
    """A string, or None for null."""
    return None if item is None else text(item)


def number(item: Json) -> int:
    """A number that is not negative."""
    if not isinstance(item, int) or item < 0:
        raise ValueError
    return item


def modulus(item: Json) -> int:
    """A number above 0."""
    if number(item) == 0:
        raise ValueError
    return number(item)


def maybe_number(item: Json) -> int | None:
    """A number that is not negative, or None for null."""
    return None if item is None else number(item)


def flags_of(item: Json) -> list[str]:
    """Flags: a string for one, a list for several; nft 1.1.7 always prints a list."""
    return item if isinstance(item, list) else [item]
