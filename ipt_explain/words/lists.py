"""Lists in a sentence: `a, b and c`, `a, b and 3 more`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipt_explain.words.counts import and_more


def both(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return _enumerate(items, "and")


def either(items: Sequence[str]) -> str:
    """`a, b or c`."""
    return _enumerate(items, "or")


def listed(items: Iterable[str], most: int, noun: str = "") -> str:
    """`a, b`; if more than `most`, the first ones: `a, b and 3 more`, or with a noun `a, b and 3 more rules`."""
    each = list(items)
    return ", ".join(each[:most]) + and_more(len(each) - most, noun)


def aside(parts: Sequence[str]) -> str:
    """` (a, b)`, or nothing."""
    return f" ({', '.join(parts)})" if parts else ""


def _enumerate(items: Sequence[str], conjunction: str) -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"
