"""Durations in units that people think in."""

from __future__ import annotations

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def duration(seconds: int | str) -> str:
    """Seconds, also in larger units: `3 h (10800 s)`, `45 s`. Text that is not a number stays as it is."""
    if isinstance(seconds, str):
        if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):
            return f"{seconds} s"
        seconds = int(seconds)
    left, parts = seconds, []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return f"{seconds} s" if seconds < 60 else f"{' '.join(parts)} ({seconds} s)"
