"""Small pieces of English that need nothing: counts, lists, durations."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def plural(count: str | int, noun: str) -> str:
    """`1 packet`, `2 packets`."""
    return f"{count} {noun}" if str(count) == "1" else f"{count} {noun}s"


def both(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return "".join(items) if len(items) < 2 else f"{', '.join(items[:-1])} and {items[-1]}"


def duration(seconds: int) -> str:
    """Seconds in larger units, and as they are: `3 h (10800 s)`, `45 s`."""
    left, parts = seconds, []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return f"{seconds} s" if seconds < 60 else f"{' '.join(parts)} ({seconds} s)"
