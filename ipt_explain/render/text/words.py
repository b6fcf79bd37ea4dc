"""Small pieces of English: counts, lists, durations."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def plural(count: str | int, noun: str) -> str:
    """`1 packet`, `2 packets`."""
    return f"{count} {noun}" if str(count) == "1" else f"{count} {noun}s"


def both(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return _enumerate(items, "and")


def either(items: Sequence[str]) -> str:
    """`a, b or c`."""
    return _enumerate(items, "or")


def _enumerate(items: Sequence[str], conjunction: str) -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def cited(value: str) -> str:
    """Free text from a rule, in quotes."""
    return f'"{value}"'


def aside(parts: Sequence[str]) -> str:
    """` (a, b)`, or nothing."""
    return f" ({', '.join(parts)})" if parts else ""


def clipped(text: str, most: int = 2000) -> str:
    """Text of a length that somebody may read; what iptables itself prints is never longer."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def duration(seconds: int) -> str:
    """Seconds in larger units, and as they are: `3 h (10800 s)`, `45 s`."""
    left, parts = seconds, []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return f"{seconds} s" if seconds < 60 else f"{' '.join(parts)} ({seconds} s)"
